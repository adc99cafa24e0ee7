//! Values that are kept in a file, so that a batch that was interrupted goes on where it was.

use std::{
    collections::HashMap,
    fmt,
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::at;

/// What a batch does with its values. Closed: nothing, or a [`Checkpoint`].
pub trait Keep<I, T>: sealed::Sealed {
    #[doc(hidden)]
    fn hash(&self, input: &I) -> Option<u128>;

    /// The value that is there for the input at `index`.
    #[doc(hidden)]
    fn kept(&mut self, index: usize, hash: Option<u128>) -> Result<Option<T>, CheckpointError>;

    #[doc(hidden)]
    fn keep(&mut self, index: usize, hash: Option<u128>, value: &T) -> Result<(), CheckpointError>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::NotKept {}
    impl Sealed for super::Checkpoint {}
}

/// A batch whose values are its caller's alone.
#[derive(Clone, Copy, Debug)]
pub struct NotKept;

impl<I, T> Keep<I, T> for NotKept {
    fn hash(&self, _: &I) -> Option<u128> {
        None
    }

    fn kept(&mut self, _: usize, _: Option<u128>) -> Result<Option<T>, CheckpointError> {
        Ok(None)
    }

    fn keep(&mut self, _: usize, _: Option<u128>, _: &T) -> Result<(), CheckpointError> {
        Ok(())
    }
}

/// A file of values; made by [`Batch::checkpoint`](super::Batch::checkpoint).
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    file: File,
    /// Where the line of each value is that was there: values are read when they are asked for.
    lines: HashMap<usize, Line>,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    hash: u128,
    start: u64,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Entry<V> {
    index: usize,
    /// Of the input's JSON, in hexadecimal digits: JSON's numbers are no place for 128 bits.
    input: String,
    value: V,
}

/// Why a checkpoint cannot be used. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CheckpointError(Arc<Fault>);

#[derive(Debug)]
enum Fault {
    File(io::Error),
    Line(PathBuf, usize, String),
    OtherInputs(PathBuf, usize),
    Value(PathBuf, String),
}

impl CheckpointError {
    fn of(fault: Fault) -> Self {
        Self(Arc::new(fault))
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Fault::File(error) => error.fmt(f),
            Fault::Line(path, line, what) => {
                write!(f, "{}: line {line} is no line of a checkpoint: {what}", path.display())
            }
            Fault::OtherInputs(path, index) => write!(
                f,
                "{}: the checkpoint is of other inputs; the first that differs is number {index}, from 0",
                path.display()
            ),
            Fault::Value(path, what) => {
                write!(f, "{}: a value cannot be kept, or read back: {what}", path.display())
            }
        }
    }
}

impl std::error::Error for CheckpointError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Fault::File(error) => Some(error),
            _ => None,
        }
    }
}

impl Checkpoint {
    pub(super) fn open(path: &Path) -> Result<Self, CheckpointError> {
        let file_error = |error| CheckpointError::of(Fault::File(at(path, &error)));
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path).map_err(file_error)?;
        let mut reader = BufReader::new(file);
        let mut lines = HashMap::new();
        let (mut start, mut number) = (0, 0);
        let mut line = Vec::new();
        let end = loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line).map_err(file_error)?;
            // A line without its end was cut: what it says is not certain.
            if line.last() != Some(&b'\n') {
                break start;
            }
            number += 1;
            let fault = |what: String| CheckpointError::of(Fault::Line(path.into(), number, what));
            let entry: Entry<&RawValue> =
                serde_json::from_slice(&line).map_err(|error| fault(error.to_string()))?;
            let hash =
                u128::from_str_radix(&entry.input, 16).map_err(|error| fault(error.to_string()))?;
            lines.insert(entry.index, Line { hash, start });
            start += u64::try_from(length).unwrap_or_default();
        };
        let file = reader.into_inner();
        file.set_len(end).map_err(file_error)?;
        Ok(Self { path: path.to_owned(), file, lines })
    }

    fn file_error(&self, error: &io::Error) -> CheckpointError {
        CheckpointError::of(Fault::File(at(&self.path, error)))
    }

    fn value_error(&self, what: &dyn fmt::Display) -> CheckpointError {
        CheckpointError::of(Fault::Value(self.path.clone(), what.to_string()))
    }
}

impl<I: Serialize, T: Serialize + DeserializeOwned> Keep<I, T> for Checkpoint {
    fn hash(&self, input: &I) -> Option<u128> {
        // What cannot be written as JSON has no hash, and is never taken for another.
        serde_json::to_vec(input).ok().map(|json| hash_of(&json))
    }

    fn kept(&mut self, index: usize, hash: Option<u128>) -> Result<Option<T>, CheckpointError> {
        let Some(line) = self.lines.get(&index).copied() else { return Ok(None) };
        if hash != Some(line.hash) {
            return Err(CheckpointError::of(Fault::OtherInputs(self.path.clone(), index)));
        }
        let mut text = Vec::new();
        let mut reader = BufReader::new(&self.file);
        let read = reader
            .seek(SeekFrom::Start(line.start))
            .and_then(|_| reader.read_until(b'\n', &mut text));
        read.map_err(|error| self.file_error(&error))?;
        let entry: Entry<T> =
            serde_json::from_slice(&text).map_err(|error| self.value_error(&error))?;
        Ok(Some(entry.value))
    }

    fn keep(&mut self, index: usize, hash: Option<u128>, value: &T) -> Result<(), CheckpointError> {
        let Some(hash) = hash else { return Ok(()) };
        let entry = Entry { index, input: format!("{hash:032x}"), value };
        let mut line = serde_json::to_vec(&entry).map_err(|error| self.value_error(&error))?;
        line.push(b'\n');
        // One write, so that a line is there or not.
        self.file.write_all(&line).map_err(|error| self.file_error(&error))
    }
}

/// FNV-1a of 128 bits: the same in every build, as what is in a file must be.
fn hash_of(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        // From the vectors of the FNV draft.
        assert_eq!(hash_of(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(hash_of(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }
}
