//! The pool on a machine that has room for a few kibibytes.

use super::*;
use crate::runtime::{Launch, LibraryProduct};
use gollm_tensor::Error;

/// Hands out addresses, and takes them back, until its memory is used up.
struct Small {
    memory: usize,
    given: Mutex<BTreeMap<u64, usize>>,
}

impl Runtime for Small {
    fn name(&self) -> &str {
        "small"
    }

    fn description(&self) -> String {
        "small".to_owned()
    }

    fn allocate(&self, n_bytes: usize) -> Result<u64> {
        let mut given = self.given.lock().unwrap();
        if given.values().sum::<usize>() + n_bytes > self.memory {
            return Err(Error::Device {
                device: "small".to_owned(),
                message: "full".to_owned(),
            });
        }
        let end = given.iter().next_back().map(|(start, n)| start + *n as u64);
        let start = end.unwrap_or(256).next_multiple_of(256);
        given.insert(start, n_bytes);
        Ok(start)
    }

    fn free(&self, address: u64) {
        assert!(self.given.lock().unwrap().remove(&address).is_some());
    }

    fn write(&self, _: u64, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn read(&self, _: u64, _: &mut [u8]) -> Result<()> {
        Ok(())
    }

    fn zero(&self, _: u64, _: usize) -> Result<()> {
        Ok(())
    }

    fn launch(&self, _: &Launch<'_>) -> Result<()> {
        Ok(())
    }

    fn product(&self, _: &LibraryProduct) -> Result<bool> {
        Ok(false)
    }

    fn synchronize(&self) -> Result<()> {
        Ok(())
    }
}

fn small(memory: usize) -> (Pool, Arc<Small>) {
    let small = Arc::new(Small {
        memory,
        given: Mutex::default(),
    });
    (Pool::new(Arc::<Small>::clone(&small)), small)
}

#[test]
fn the_lowest_free_address_is_handed_out_whatever_came_back_last() {
    let (pool, _) = small(10_000);
    let [a, b, c] = [(); 3].map(|()| pool.take(1024).unwrap());
    let addresses = [&a, &b, &c].map(Buffer::address);
    drop(b);
    drop(c);
    drop(a);
    let again = [(); 3].map(|()| pool.take(1000).unwrap());
    assert_eq!(again.each_ref().map(Buffer::address), addresses);
}

#[test]
fn a_full_device_first_takes_back_what_is_free() {
    let (pool, small) = small(4096);
    let held = pool.take(1024).unwrap();
    drop(pool.take(2048).unwrap());
    // 1,024 bytes are left and 2,048 are free, but in one buffer of another size.
    let weights = pool.own(2500).unwrap();
    assert!(pool.take(1024).is_err());
    drop(weights);
    assert!(pool.take(1024).is_ok());
    drop(held);
    drop(pool);
    assert!(small.given.lock().unwrap().is_empty());
}

#[test]
fn a_size_class_wastes_at_most_a_fifth_of_more_than_a_kibibyte() {
    for n_bytes in (1..100_000).chain([1 << 20, (1 << 20) + 1, 3 << 30]) {
        let class = size_class(n_bytes);
        assert!(class >= n_bytes && class.is_multiple_of(256), "{n_bytes}");
        let wasted = class - n_bytes;
        assert!(n_bytes < 1024 || wasted * 5 <= class, "{n_bytes}");
        assert_eq!(size_class(class), class, "{n_bytes}");
    }
}
