//! A GGUF file in parts: one is changed, counts, lengths and places are made true again.

use gollm_sampler::Random;

use super::raw_gguf::{Raw, RawGguf, RawTensor};
use super::{Plain, below, change_bytes, number, with};

/// How much longer a part may become.
const ROOM: usize = 64;
/// The types that are read, and two that are not.
const TYPES: [u32; 13] = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 30, 9, 41];

/// Changes one part of a GGUF file.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32, plain: Plain<'_>) -> usize {
    let mut random = Random::new(seed.into());
    with(
        (data, size, max_size),
        (&mut random, 4),
        plain,
        |input, random, plain| {
            let mut file = parse(input)?;
            change(&mut file, random, plain);
            Some(file.bytes())
        },
    )
}

/// Reads the front of what is left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(n).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?
            .first_chunk()
            .map(|bytes| u32::from_le_bytes(*bytes))
    }

    fn u64(&mut self) -> Option<u64> {
        self.take(8)?
            .first_chunk()
            .map(|bytes| u64::from_le_bytes(*bytes))
    }

    fn text(&mut self) -> Option<String> {
        let n_bytes = self.u64()?;
        let bytes = self.take(n_bytes)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Skips a value of this kind, in an array at most `depth` deep.
    fn skip(&mut self, kind: u32, depth: usize) -> Option<()> {
        match kind {
            0 | 1 | 7 => drop(self.take(1)?),
            2 | 3 => drop(self.take(2)?),
            4..=6 => drop(self.take(4)?),
            10..=12 => drop(self.take(8)?),
            8 => drop(self.text()?),
            9 if depth > 0 => {
                let (element, count) = (self.u32()?, self.u64()?);
                for _ in 0..count {
                    self.skip(element, depth - 1)?;
                }
            }
            _ => return None,
        }
        Some(())
    }
}

/// Takes a file apart as far as it can be.
fn parse(bytes: &[u8]) -> Option<RawGguf> {
    let mut reader = Reader(bytes);
    let magic = *reader.take(4)?.first_chunk()?;
    let version = reader.u32()?;
    let (n_tensors, n_values) = (reader.u64()?, reader.u64()?);
    let mut file = RawGguf {
        magic,
        version,
        n_tensors: None,
        n_values: None,
        values: Vec::new(),
        tensors: Vec::new(),
    };
    for _ in 0..n_values {
        let (key, kind) = (reader.text()?, reader.u32()?);
        let before = reader.0;
        reader.skip(kind, 3)?;
        let value = before[..before.len() - reader.0.len()].to_vec();
        file.values.push((key, Raw::Bytes(kind, value)));
    }
    for _ in 0..n_tensors {
        let (name, rank) = (reader.text()?, reader.u32()?.min(8));
        let dims = (0..rank).map(|_| reader.u64()).collect::<Option<_>>()?;
        file.tensors.push(RawTensor {
            name,
            dims,
            code: reader.u32()?,
            offset: Some(reader.u64()?),
            data: Vec::new(),
        });
    }
    let start = (bytes.len() - reader.0.len()).next_multiple_of(32);
    share_out(&mut file.tensors, bytes.get(start..).unwrap_or_default());
    Some(file)
}

/// Gives each tensor the data from its place to the next one's.
fn share_out(tensors: &mut [RawTensor], data: &[u8]) {
    let mut places: Vec<u64> = tensors.iter().filter_map(|tensor| tensor.offset).collect();
    places.push(data.len() as u64);
    places.sort_unstable();
    for tensor in tensors {
        let start = tensor.offset.take().unwrap_or(0);
        let end = places.iter().find(|place| **place > start).copied();
        let range = start as usize..end.unwrap_or(start) as usize;
        tensor.data = data.get(range).unwrap_or_default().to_vec();
    }
}

fn change(file: &mut RawGguf, random: &mut Random, plain: Plain<'_>) {
    let (values, tensors) = (file.values.len(), file.tensors.len());
    match below(random, 16) {
        0 => file.n_values = Some(number(random)),
        1 => file.n_tensors = Some(number(random)),
        2 if values > 0 => drop(file.values.remove(below(random, values))),
        3 if values > 0 => {
            let value = file.values[below(random, values)].clone();
            file.values.push(value);
        }
        4 if tensors > 0 => drop(file.tensors.remove(below(random, tensors))),
        5 if tensors > 0 => {
            let tensor = file.tensors[below(random, tensors)].clone();
            file.tensors.push(tensor);
        }
        6..11 if tensors > 0 => change_tensor(file, random, plain),
        _ if values > 0 => change_value(&mut file.values[below(random, values)], random, plain),
        _ => file.version = number(random) as u32,
    }
}

fn change_value((key, value): &mut (String, Raw), random: &mut Random, plain: Plain<'_>) {
    let Raw::Bytes(kind, bytes) = value else {
        return;
    };
    match below(random, 8) {
        0 => {
            let mut name = std::mem::take(key).into_bytes();
            change_bytes(&mut name, ROOM, plain);
            *key = String::from_utf8_lossy(&name).into_owned();
        }
        1 => *kind = below(random, 14) as u32,
        2 => {
            *kind = 10;
            *bytes = number(random).to_le_bytes().to_vec();
        }
        3..7 => change_content(*kind, bytes, random, plain),
        _ => change_bytes(bytes, ROOM, plain),
    }
}

/// Changes a value without making it a lie about its own length.
fn change_content(kind: u32, bytes: &mut Vec<u8>, random: &mut Random, plain: Plain<'_>) {
    // How many bytes of kind and count stand before the content.
    let head = match kind {
        8 => 8,
        9 => 12,
        _ => {
            let n_bytes = bytes.len();
            *bytes = number(random).to_le_bytes().to_vec();
            bytes.resize(n_bytes, 0);
            return;
        }
    };
    let mut content = bytes.split_off(head.min(bytes.len()));
    if kind == 8 {
        change_bytes(&mut content, ROOM, plain);
        *bytes = (content.len() as u64).to_le_bytes().to_vec();
    } else {
        // An array: some of its bytes change, none are added.
        change_bytes(&mut content, 0, plain);
    }
    bytes.extend(content);
}

fn change_tensor(file: &mut RawGguf, random: &mut Random, plain: Plain<'_>) {
    let other = below(random, file.tensors.len());
    let name = file.tensors[other].name.clone();
    let index = below(random, file.tensors.len());
    let tensor = &mut file.tensors[index];
    let dim = below(random, tensor.dims.len());
    match below(random, 8) {
        0 => tensor.name = name,
        1 => {
            let mut name = std::mem::take(&mut tensor.name).into_bytes();
            change_bytes(&mut name, ROOM, plain);
            tensor.name = String::from_utf8_lossy(&name).into_owned();
        }
        2 => tensor.code = TYPES[below(random, TYPES.len())],
        3 if !tensor.dims.is_empty() => tensor.dims[dim] = number(random),
        4 => tensor.dims.push(number(random)),
        5 => drop(tensor.dims.pop()),
        6 => tensor.offset = Some(number(random)),
        _ => change_bytes(&mut tensor.data, ROOM, plain),
    }
}
