//! The shim as a runtime that plays what it can by the persistent kernel, all of whose blocks are there at
//! once.

use std::mem::take;
use std::sync::{Arc, Mutex};

use gollm_tensor::{Device, Result};

use super::{Shim, ShimOptions};
use crate::cuda::Cuda;
use crate::options::CacheType;
use crate::persistent::{Operation, THREADS, common_weight, name};
use crate::runtime::{Argument, Launch, LibraryProduct, Runtime};

/// The shim, which holds launches back as long as the persistent kernel knows them, and then plays them.
pub(super) struct Player {
    shim: Shim,
    n_blocks: u32,
    held: Mutex<Vec<Operation>>,
    /// The most operations of a table.
    longest: Arc<Mutex<usize>>,
}

impl Player {
    fn play(&self) -> Result<()> {
        let operations = take(&mut *self.held.lock().unwrap());
        if operations.is_empty() {
            return Ok(());
        }
        let kernel = name(common_weight(&operations).unwrap());
        let mut longest = self.longest.lock().unwrap();
        *longest = operations.len().max(*longest);
        let mut rows = Vec::new();
        operations.iter().for_each(|row| row.write(&mut rows));
        let (table, gate) = (self.shim.allocate(rows.len())?, self.shim.allocate(8)?);
        self.shim.write(table, &rows)?;
        self.shim.zero(gate, 8)?;
        let arguments = [
            Argument::Address(table),
            Argument::U32(operations.len() as u32),
            Argument::Address(gate),
        ];
        let shared = operations.iter().map(|operation| operation.shared_bytes);
        let sizes = [THREADS, shared.max().unwrap_or(0)];
        let grid = [self.n_blocks, 1, 1];
        self.shim
            .launch_resident(kernel, grid, sizes, &arguments, self.n_blocks)?;
        // Nobody has come who was not let through.
        let mut arrived = [1; 4];
        self.shim.read(gate, &mut arrived)?;
        assert_eq!(arrived, [0; 4]);
        self.shim.free(table);
        self.shim.free(gate);
        Ok(())
    }
}

impl Runtime for Player {
    fn name(&self) -> &str {
        self.shim.name()
    }

    fn description(&self) -> String {
        self.shim.description()
    }

    fn allocate(&self, n_bytes: usize) -> Result<u64> {
        self.shim.allocate(n_bytes)
    }

    fn free(&self, address: u64) {
        self.play().unwrap();
        self.shim.free(address);
    }

    fn write(&self, to: u64, bytes: &[u8]) -> Result<()> {
        self.play()?;
        self.shim.write(to, bytes)
    }

    fn read(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        self.play()?;
        self.shim.read(from, bytes)
    }

    fn zero(&self, to: u64, n_bytes: usize) -> Result<()> {
        self.play()?;
        self.shim.zero(to, n_bytes)
    }

    fn launch(&self, launch: &Launch<'_>) -> Result<()> {
        let arguments = launch.arguments.iter().map(|argument| argument.bytes());
        let sizes = [launch.block, launch.shared_bytes];
        match Operation::new(launch.kernel, launch.grid, sizes, arguments) {
            Some(operation) => {
                let mixed = {
                    let held = self.held.lock().unwrap();
                    common_weight(held.iter().chain([&operation])).is_none()
                };
                if mixed {
                    self.play()?;
                }
                self.held.lock().unwrap().push(operation);
                Ok(())
            }
            None => {
                self.play()?;
                self.shim.launch(launch)
            }
        }
    }

    fn product(&self, product: &LibraryProduct) -> Result<bool> {
        self.play()?;
        self.shim.product(product)
    }

    fn synchronize(&self) -> Result<()> {
        self.play()
    }
}

pub(super) fn shim(reversed: bool) -> Shim {
    Shim::new(ShimOptions {
        reversed,
        ..ShimOptions::default()
    })
}

/// A device that plays with so many blocks, and how long its longest table was.
pub(super) fn player(
    reversed: bool,
    n_blocks: u32,
    cache: CacheType,
) -> (Device, Arc<Mutex<usize>>) {
    let longest = Arc::default();
    let player = Player {
        shim: shim(reversed),
        n_blocks,
        held: Mutex::default(),
        longest: Arc::clone(&longest),
    };
    (Device::new(Cuda::on(Arc::new(player), cache)), longest)
}
