//! A product and the addition behind it are one launch, and nobody can tell.

use crate::common::{device, random};
use gollm_cuda::{CacheType, ShimLibrary};
use gollm_tensor::{Device, Tensor};

/// Sums of 40 products, in another order.
const BOUND: f32 = 1e-5;

fn assert_near(found: &Tensor, expected: &Tensor) {
    let (found, expected) = (found.to_vec().unwrap(), expected.to_vec().unwrap());
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(&expected) {
        assert!((a - b).abs() <= BOUND * 40.0, "{a} {b}");
    }
}

/// The operands: `x`, its residual, and a square weight.
fn operands(device: &Device, n: usize) -> [Tensor; 3] {
    let tensor = |seed, shape: [usize; 2]| {
        let values = random(seed, shape[0] * shape[1]);
        device.tensor(&shape, &values).unwrap()
    };
    [tensor(1, [n, 40]), tensor(2, [n, 40]), tensor(3, [40, 40])]
}

#[test]
fn any_order_of_products_additions_and_reads_gives_what_the_reference_gives() {
    // One token, a part of eight, more than eight, and many, which are not kept back.
    for n in [1, 3, 11, 40] {
        let run = |device: &Device| -> Vec<Tensor> {
            let [x, residual, weight] = operands(device, n);
            let product = x.matmul(&weight).unwrap();
            let right = residual.add(&product).unwrap();
            let left = product.add(&residual).unwrap(); // the product was queued by now
            let other = x.matmul(&weight).unwrap();
            let unrelated = residual.add(&x).unwrap(); // sends `other` off alone
            let late = other.add(&x).unwrap();
            let twice = x.matmul(&weight).unwrap();
            let doubled = twice.add(&twice).unwrap();
            let dropped = x.matmul(&weight).unwrap();
            drop(dropped);
            let first = x.matmul(&weight).unwrap();
            let second = first.matmul(&weight).unwrap(); // needs the one that waits
            let sum = second.add(&first).unwrap();
            let waits = x.matmul(&weight).unwrap();
            let uploaded = device.tensor(&[n, 40], &random(9, n * 40)).unwrap();
            let with_uploaded = waits.add(&uploaded).unwrap();
            let alone = x.matmul(&weight).unwrap();
            vec![
                product,
                right,
                left,
                other,
                unrelated,
                late,
                twice,
                doubled,
                first,
                second,
                sum,
                with_uploaded,
                alone,
            ]
        };
        let found = run(&device(false, ShimLibrary::Off, CacheType::F32));
        let expected = run(&Device::reference());
        for (found, expected) in found.iter().zip(&expected) {
            assert_near(found, expected);
        }
    }
}

#[test]
fn several_threads_may_share_the_device() {
    let device = device(false, ShimLibrary::Off, CacheType::F32);
    let expected = {
        let [x, residual, weight] = operands(&Device::reference(), 2);
        residual.add(&x.matmul(&weight).unwrap()).unwrap()
    };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let [x, residual, weight] = operands(&device, 2);
                for _ in 0..50 {
                    let product = x.matmul(&weight).unwrap();
                    assert_near(&residual.add(&product).unwrap(), &expected);
                }
            });
        }
    });
}
