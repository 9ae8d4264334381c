//! A message as bytes, for a store: smaller and simpler than any form it travels in, and the same bytes for the same message.
//!
//! A binary is `0`, its length and its bytes; a map is `1`, the number of its keys, and for each, in byte order, the length of the
//! key, the key, and what it holds. Numbers are of 4 bytes, little-endian.

use super::{MAX_DEPTH, Node, Tabm, malformed, too_deep};
use crate::error::Result;

const BINARY: u8 = 0;
const MAP: u8 = 1;

/// The message as bytes. Error: `too-large` for one that is deeper than any codec takes, or has a value of 4 GiB.
pub fn pack(message: &Tabm) -> Result<Vec<u8>> {
    message.check_depth()?;
    let mut out = Vec::new();
    write_map(&mut out, message)?;
    Ok(out)
}

fn write_map(out: &mut Vec<u8>, map: &Tabm) -> Result<()> {
    out.push(MAP);
    write_number(out, map.len())?;
    for (key, node) in map {
        write_number(out, key.len())?;
        out.extend_from_slice(key.as_bytes());
        match node {
            Node::Binary(bytes) => {
                out.push(BINARY);
                write_number(out, bytes.len())?;
                out.extend_from_slice(bytes);
            }
            Node::Map(map) => write_map(out, map)?,
        }
    }
    Ok(())
}

fn write_number(out: &mut Vec<u8>, number: usize) -> Result<()> {
    let number = u32::try_from(number).map_err(|_| too_deep())?;
    out.extend_from_slice(&number.to_le_bytes());
    Ok(())
}

/// The message of [`pack`]'s bytes. Errors: `message-malformed`, also for bytes that [`pack`] would not have written;
/// `too-large`.
pub fn unpack(bytes: &[u8]) -> Result<Tabm> {
    let mut rest = bytes;
    let message = match read_node(&mut rest, 0)? {
        Node::Map(map) => map,
        Node::Binary(_) => return Err(refused()),
    };
    if rest.is_empty() { Ok(message) } else { Err(refused()) }
}

fn read_node(rest: &mut &[u8], depth: usize) -> Result<Node> {
    if depth > MAX_DEPTH + 1 {
        return Err(too_deep());
    }
    match take(rest, 1)? {
        [BINARY] => {
            let length = read_number(rest)?;
            take(rest, length).map(|bytes| Node::Binary(bytes.to_vec()))
        }
        [MAP] => {
            let count = read_number(rest)?;
            let (mut map, mut last) = (Tabm::new(), None);
            for _ in 0..count {
                let length = read_number(rest)?;
                let key = String::from_utf8(take(rest, length)?.to_vec()).map_err(|_| refused())?;
                if last.as_ref().is_some_and(|last| *last >= key) {
                    return Err(refused());
                }
                let node = read_node(rest, depth + 1)?;
                last = Some(key.clone());
                map.set(key, node);
            }
            Ok(Node::Map(map))
        }
        _ => Err(refused()),
    }
}

fn read_number(rest: &mut &[u8]) -> Result<usize> {
    let (number, after) = rest.split_first_chunk::<4>().ok_or_else(refused)?;
    *rest = after;
    usize::try_from(u32::from_le_bytes(*number)).map_err(|_| refused())
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length).ok_or_else(refused)?;
    *rest = after;
    Ok(taken)
}

fn refused() -> crate::error::Error {
    malformed("These bytes are no stored message.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn message() -> Tabm {
        let inner = Tabm::new().with("b", vec![0, 255]).with("empty", Tabm::new());
        Tabm::new().with("a", "text").with("é", inner).with("nothing", "")
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        assert_eq!(unpack(&pack(&message()).unwrap()).unwrap(), message());
        assert_eq!(pack(&Tabm::new()).unwrap(), [1, 0, 0, 0, 0]);
    }

    #[test]
    fn other_bytes_are_refused() {
        let bytes = pack(&message()).unwrap();
        for end in 0..bytes.len() {
            assert_eq!(unpack(&bytes[..end]).unwrap_err().code(), Code::MessageMalformed, "{end}");
        }
        assert!(unpack(&[bytes.as_slice(), &[0]].concat()).is_err());
        // Keys out of order, a key twice, a binary in place of the message, a length beyond the end.
        let key = |name: u8| [1, 0, 0, 0, name, 0, 0, 0, 0, 0];
        for (first, second) in [(b'b', b'a'), (b'a', b'a')] {
            let two = [[1, 2, 0, 0, 0].as_slice(), &key(first), &key(second)].concat();
            assert_eq!(unpack(&two).unwrap_err().code(), Code::MessageMalformed);
        }
        assert!(unpack(&[0, 0, 0, 0, 0]).is_err());
        assert!(unpack(&[1, 255, 255, 255, 255]).is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let deep = (0..100).fold(Tabm::new(), |inner, _| Tabm::new().with("k", inner));
        assert_eq!(pack(&deep).unwrap_err().code(), Code::TooLarge);
        let mut bytes = Vec::new();
        for _ in 0..200 {
            bytes.extend_from_slice(&[1, 1, 0, 0, 0, 1, 0, 0, 0, b'k']);
        }
        bytes.extend_from_slice(&[1, 0, 0, 0, 0]);
        assert_eq!(unpack(&bytes).unwrap_err().code(), Code::TooLarge);
    }
}
