//! A process's state as bytes: the machine, the state message, and why nothing computes any more, if that is so.
//!
//! Layout: 8 bytes `WEFTPRC` and the version, the SHA-256 of the rest, and the rest: the digest of the message that defines the
//! process, the machine's snapshot, the state, the end, the first slot that is not replayable.
//! Maps are written in their order and read back in no other, so equal states have equal bytes.

use num_bigint::BigInt;
use sha2::{Digest as _, Sha256};

use super::ao;
use super::call::Device;
use super::held::{Held, Key, Map};
use super::process::{Outcome, Process, Stuck};
use crate::{ErrorKind, Limits, LuaError, Profile, Vm};

const MAGIC: &[u8; 8] = b"WEFTPRC\x02";
const HEADER: usize = MAGIC.len() + 32;
/// The deepest nesting of a value: deeper than what a machine gives.
const MAX_DEPTH: usize = 256;

impl Process {
    /// Whether these bytes begin as a snapshot of a process does, of whatever version.
    #[must_use]
    pub fn is_snapshot(bytes: &[u8]) -> bool {
        bytes.starts_with(b"WEFTPRC")
    }

    /// The state as bytes. No call may be on its way.
    ///
    /// # Errors
    /// `lua-snapshot` if one is.
    pub fn snapshot(&mut self) -> Result<Vec<u8>, LuaError> {
        let mut writer = Writer(self.origin.to_vec());
        writer.bytes(&self.device.vm.snapshot()?);
        writer.map(&self.state);
        match &self.stuck {
            None => writer.0.push(0),
            Some(stuck) => {
                let (kind, said) = match &stuck.answer {
                    Outcome::Failed(message) => (1, Held::Map(message.clone())),
                    Outcome::Thrown(reason) => (2, reason.as_str().into()),
                    Outcome::Unreadable(key) => (3, key.as_str().into()),
                    Outcome::Computed | Outcome::Stuck(..) => {
                        return Err(refused("The process stands where no process can."));
                    }
                };
                writer.0.push(kind);
                writer.0.extend_from_slice(&stuck.slot.to_le_bytes());
                writer.value(&said);
            }
        }
        writer.0.push(u8::from(self.clouded.is_some()));
        writer.0.extend(self.clouded.map(i64::to_le_bytes).into_iter().flatten());
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&Sha256::digest(&writer.0));
        bytes.extend_from_slice(&writer.0);
        Ok(bytes)
    }

    /// A process as [`Self::snapshot`] left it. `message` is what it was made of.
    ///
    /// # Errors
    /// `lua-snapshot` for bytes that are cut, altered, of another version or of another process; what [`Process::new`] refuses.
    pub fn restore(message: &Map, limits: Limits, bytes: &[u8]) -> Result<Self, LuaError> {
        let (header, body) =
            bytes.split_at_checked(HEADER).ok_or_else(|| refused("The snapshot is cut off."))?;
        let (magic, hash) = header.split_at_checked(MAGIC.len()).unwrap_or_default();
        if magic != MAGIC {
            return Err(refused("These bytes are no snapshot of this version."));
        }
        if hash != Sha256::digest(body).as_slice() {
            return Err(refused("The snapshot is not what it was when it was made."));
        }
        let mut reader = Reader(body);
        if reader.take(32)? != digest(message) {
            return Err(refused("The snapshot is of another process."));
        }
        let machine = reader.bytes()?;
        let state = reader.map(0)?;
        let stuck = reader.stuck()?;
        let clouded = match reader.byte()? {
            0 => None,
            1 => Some(i64::from_le_bytes(reader.eight()?)),
            _ => return Err(unknown()),
        };
        if !reader.0.is_empty() {
            return Err(refused("The snapshot has bytes after its end."));
        }
        let mut vm = Vm::new(Profile::Luerl, limits);
        // What the table `ao` is made of has to be known by name.
        ao::install(&mut vm, &state)?;
        vm.restore(machine)?;
        let device = Device::around(vm, limits);
        Ok(Self { state, origin: digest(message), device, stuck, clouded, keeps: true })
    }
}

/// The SHA-256 of a message as it is written here.
pub(super) fn digest(message: &Map) -> [u8; 32] {
    let mut writer = Writer(Vec::new());
    writer.map(message);
    Sha256::digest(&writer.0).into()
}

struct Writer(Vec<u8>);

impl Writer {
    fn count(&mut self, count: usize) {
        self.0.extend_from_slice(&(count as u64).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn map(&mut self, map: &Map) {
        self.count(map.len());
        for (key, value) in map {
            match key {
                Key::Int(number) => self.tagged(0, &number.to_signed_bytes_le()),
                Key::Truth(truth) => self.tagged(1, &[u8::from(*truth)]),
                Key::Text(bytes) => self.tagged(2, bytes),
            }
            self.value(value);
        }
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.0.push(tag);
        self.bytes(bytes);
    }

    fn value(&mut self, value: &Held) {
        match value {
            Held::Atom(word) => self.tagged(0, word.as_bytes()),
            Held::Int(number) => self.tagged(1, &number.to_signed_bytes_le()),
            Held::Float(number) => self.tagged(2, &number.to_bits().to_le_bytes()),
            Held::Binary(bytes) => self.tagged(3, bytes),
            Held::List(values) => {
                self.0.push(4);
                self.count(values.len());
                for value in values {
                    self.value(value);
                }
            }
            Held::Map(map) => {
                self.0.push(5);
                self.map(map);
            }
        }
    }
}

/// Every count is bounded by the bytes that are left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], LuaError> {
        let (taken, rest) =
            self.0.split_at_checked(count).ok_or_else(|| refused("The snapshot is cut off."))?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, LuaError> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    fn eight(&mut self) -> Result<[u8; 8], LuaError> {
        self.take(8)?.try_into().map_err(|_| refused("The snapshot is cut off."))
    }

    fn count(&mut self) -> Result<usize, LuaError> {
        let count = usize::try_from(u64::from_le_bytes(self.eight()?)).unwrap_or(usize::MAX);
        if count > self.0.len() { Err(refused("The snapshot is cut off.")) } else { Ok(count) }
    }

    fn bytes(&mut self) -> Result<&'a [u8], LuaError> {
        let count = self.count()?;
        self.take(count)
    }

    fn text(&mut self) -> Result<String, LuaError> {
        let bytes = self.bytes()?;
        String::from_utf8(bytes.to_vec()).map_err(|_| refused("The snapshot has a word that is no text."))
    }

    fn integer(&mut self) -> Result<BigInt, LuaError> {
        let bytes = self.bytes()?;
        let number = BigInt::from_signed_bytes_le(bytes);
        // One number, one form.
        if number.to_signed_bytes_le() != bytes {
            return Err(refused("The snapshot has an integer in another form."));
        }
        Ok(number)
    }

    fn map(&mut self, depth: usize) -> Result<Map, LuaError> {
        let mut map = Map::new();
        for _ in 0..self.count()? {
            let key = match self.byte()? {
                0 => Key::Int(self.integer()?),
                1 => match self.bytes()? {
                    [truth @ (0 | 1)] => Key::Truth(*truth == 1),
                    _ => return Err(unknown()),
                },
                2 => Key::Text(self.bytes()?.to_vec()),
                _ => return Err(unknown()),
            };
            if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(refused("The snapshot has keys in another order."));
            }
            let value = self.value(depth + 1)?;
            map.insert(key, value);
        }
        Ok(map)
    }

    fn value(&mut self, depth: usize) -> Result<Held, LuaError> {
        if depth > MAX_DEPTH {
            return Err(refused("The snapshot nests too deep."));
        }
        Ok(match self.byte()? {
            0 => Held::Atom(self.text()?),
            1 => Held::Int(self.integer()?),
            2 => {
                let bits = self.bytes()?.try_into().map_err(|_| unknown())?;
                let number = f64::from_bits(u64::from_le_bytes(bits));
                if !number.is_finite() {
                    return Err(refused("The snapshot has a number that is none."));
                }
                Held::Float(number)
            }
            3 => Held::Binary(self.bytes()?.to_vec()),
            4 => {
                let count = self.count()?;
                Held::List((0..count).map(|_| self.value(depth + 1)).collect::<Result<_, _>>()?)
            }
            5 => Held::Map(self.map(depth)?),
            _ => return Err(unknown()),
        })
    }

    fn stuck(&mut self) -> Result<Option<Stuck>, LuaError> {
        let kind = self.byte()?;
        if kind == 0 {
            return Ok(None);
        }
        let slot = i64::from_le_bytes(self.eight()?);
        let answer = match (kind, self.value(0)?) {
            (1, Held::Map(message)) => Outcome::Failed(message),
            (2, said) => Outcome::Thrown(said.text().ok_or_else(unknown)?.to_owned()),
            (3, said) => Outcome::Unreadable(said.text().ok_or_else(unknown)?.to_owned()),
            _ => return Err(unknown()),
        };
        Ok(Some(Stuck { slot, answer }))
    }
}

#[cold]
fn unknown() -> LuaError {
    refused("The snapshot has something that this version does not know.")
}

#[cold]
fn refused(sentence: &str) -> LuaError {
    LuaError::limit(ErrorKind::Snapshot, sentence)
}
