//! A `.gollm` file in parts: one is changed, lengths, places and checksums are made true again.

use gollm_sampler::Random;

use super::raw_file::{RawFile, RawTensor};
use super::{Plain, below, change_bytes, json_values, number, with};

/// How much longer a part may become.
const ROOM: usize = 64;

/// Changes one part of a `.gollm` file.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32, plain: Plain<'_>) -> usize {
    let mut random = Random::new(seed.into());
    with(
        (data, size, max_size),
        (&mut random, 8),
        plain,
        |input, random, plain| {
            let mut file = parse(input)?;
            change(&mut file, random, plain);
            Some(file.build())
        },
    )
}

/// Takes the parts from where the header says they are.
fn parse(bytes: &[u8]) -> Option<RawFile> {
    let u64_at = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let u32_at = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let mut file = RawFile::new("");
    file.magic = *bytes.first_chunk()?;
    (file.major, file.minor) = (u32_at(8)?, u32_at(12)?);
    let metadata_bytes = usize::try_from(u64_at(16)?).ok()?;
    let descriptors_bytes = usize::try_from(u64_at(24)?).ok()?;
    let (metadata, rest) = bytes.get(64..)?.split_at_checked(metadata_bytes)?;
    file.metadata = metadata.to_vec();
    let mut descriptors = rest.get(..descriptors_bytes)?;
    while let Some((tensor, left)) = parse_tensor(descriptors, bytes) {
        file.tensors.push(tensor);
        descriptors = left;
    }
    Some(file)
}

fn parse_tensor<'a>(bytes: &'a [u8], file: &[u8]) -> Option<(RawTensor, &'a [u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    let (name, rest) = rest.split_at_checked(u16::from_le_bytes([head[0], head[1]]).into())?;
    let (dims, rest) = rest.split_at_checked(8 * usize::from(head[3]))?;
    let (place, rest) = rest.split_at_checked(8 + 8 + 32)?;
    let u64_of = |bytes: &[u8]| {
        bytes
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes))
    };
    let start = usize::try_from(u64_of(place)).ok()?;
    let n_bytes = usize::try_from(u64_of(&place[8..])).ok()?;
    let tensor = RawTensor {
        name: name.to_vec(),
        name_bytes: None,
        code: head[2],
        rank: None,
        shape: dims.chunks_exact(8).map(u64_of).collect(),
        offset: None,
        n_bytes: None,
        checksum: None,
        data: file.get(start..start.checked_add(n_bytes)?)?.to_vec(),
    };
    Some((tensor, rest))
}

fn change(file: &mut RawFile, random: &mut Random, plain: Plain<'_>) {
    let index = below(random, file.tensors.len());
    let other = below(random, file.tensors.len());
    match below(random, 12) {
        0 | 1 => change_bytes(&mut file.metadata, ROOM, plain),
        2..5 => {
            if let Some(metadata) = json_values::changed(&file.metadata, random, plain) {
                file.metadata = metadata;
            }
        }
        5 => change_header(file, random),
        6 if index < file.tensors.len() => drop(file.tensors.remove(index)),
        7 if index < file.tensors.len() => {
            let tensor = file.tensors[index].clone();
            file.tensors.insert(other, tensor);
        }
        8 if index < file.tensors.len() => file.tensors.swap(index, other),
        9 => change_bytes(&mut file.after_descriptors, ROOM, plain),
        _ => {
            if let Some(tensor) = file.tensors.get_mut(index) {
                change_tensor(tensor, random, plain);
            }
        }
    }
}

/// A number of the header that is a lie under a true checksum.
fn change_header(file: &mut RawFile, random: &mut Random) {
    let lie = Some(number(random));
    match below(random, 6) {
        0 => file.major = number(random) as u32,
        1 => file.minor = number(random) as u32,
        2 => file.metadata_bytes = lie,
        3 => file.descriptors_bytes = lie,
        4 => file.n_tensors = lie,
        _ => file.file_bytes = lie,
    }
}

fn change_tensor(tensor: &mut RawTensor, random: &mut Random, plain: Plain<'_>) {
    let lie = number(random);
    match below(random, 9) {
        0 => change_bytes(&mut tensor.name, ROOM, plain),
        1 => tensor.code = [0, 1, 2, 8, 30, 255][below(random, 6)],
        2 => tensor.rank = Some(lie as u8),
        3 => tensor.shape.push(lie),
        4 => drop(tensor.shape.pop()),
        5 => {
            if let Some(dim) = tensor.shape.first_mut() {
                *dim = lie;
            }
        }
        6 => tensor.offset = Some(lie),
        7 => tensor.n_bytes = Some(lie),
        _ => change_bytes(&mut tensor.data, ROOM, plain),
    }
}
