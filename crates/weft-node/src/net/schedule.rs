//! Making assignments, as the scheduler does (ao-messages.md §2.5 and §4; su `builder.rs` `gen_assignment`,
//! `scheduler.rs` `gen_hash_chain`, `bytes.rs` `deep_hash`).

use weft_codec::deep_hash::{Chunk, deep_hash};
use weft_codec::item::{DataItem, Unsigned};
use weft_codec::tags::{self, Tag};
use weft_codec::{Id, Result, base64url};

use super::ledger::Head;
use crate::seams::Signer;

/// What an assignment says.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The process whose history it is.
    pub process: Id,
    /// The end of that history; `None` for the process's own assignment at slot 0.
    pub previous: Option<&'a Head>,
    /// The message; `None` at slot 0.
    pub message: Option<Id>,
    /// Fields an Assign leaves out, separated by commas.
    pub exclude: Option<&'a str>,
    /// The height of Arweave.
    pub block_height: u64,
    /// The scheduler's clock, milliseconds since 1970.
    pub timestamp: u64,
}

impl Place<'_> {
    /// The slot: 0, or one more than the last.
    #[must_use]
    pub fn slot(&self) -> u64 {
        self.previous.map_or(0, |head| head.slot.saturating_add(1))
    }

    /// The commitment to the assignments before: `SHA256(process)` at slot 0, then
    /// `SHA256(last assignment ‖ its Hash-Chain)`.
    #[must_use]
    pub fn hash_chain(&self) -> Id {
        match self.previous {
            None => Id::sha256(&self.process.0),
            Some(head) => Id::sha256(&[head.assignment.0, head.hash_chain.0].concat()),
        }
    }

    /// The tags, in the scheduler's order.
    #[must_use]
    pub fn tags(&self) -> Vec<Tag> {
        let mut tags = vec![
            Tag::new("Process", self.process.to_string()),
            Tag::new("Epoch", "0"),
            Tag::new("Nonce", self.slot().to_string()),
            Tag::new("Hash-Chain", self.hash_chain().to_string()),
            Tag::new("Block-Height", format!("{:012}", self.block_height)),
            Tag::new("Timestamp", self.timestamp.to_string()),
            Tag::new("Data-Protocol", "ao"),
            Tag::new("Type", "Assignment"),
            Tag::new("Variant", "ao.TN.1"),
        ];
        tags.extend(self.message.map(|id| Tag::new("Message", id.to_string())));
        tags.extend(
            self.exclude.iter().flat_map(|list| list.split(',')).map(|field| Tag::new("Exclude", field)),
        );
        tags
    }
}

/// Signs an assignment, and tells the end of the history after it.
///
/// # Errors
/// Those of the signer.
pub async fn assign<G: Signer>(signer: &G, anchor: [u8; 32], place: &Place<'_>) -> Result<(DataItem, Head)> {
    let assignment = sign(signer, None, Some(anchor), place.tags(), Vec::new()).await?;
    let head = Head {
        slot: place.slot(),
        assignment: assignment.id(),
        hash_chain: place.hash_chain(),
        timestamp: place.timestamp,
    };
    Ok((assignment, head))
}

/// Signs an item.
///
/// # Errors
/// Those of the signer.
pub async fn sign<G: Signer>(
    signer: &G,
    target: Option<Id>,
    anchor: Option<[u8; 32]>,
    tags: Vec<Tag>,
    data: Vec<u8>,
) -> Result<DataItem> {
    let unsigned = Unsigned { owner: signer.owner(), target, anchor, tags, data };
    let signature = signer.sign(&unsigned.payload()).await?;
    unsigned.sign_with(signature)
}

/// What two copies of one pushed message have in common, whoever signed them and whatever pushed them:
/// the deep hash without owner and without `Pushed-For`, tags sorted (ao-messages.md §5).
#[must_use]
pub(super) fn pushed_hash(item: &DataItem) -> String {
    let mut kept: Vec<Tag> = item.tags.iter().filter(|tag| tag.name != "Pushed-For").cloned().collect();
    kept.sort_by(|a, b| (&a.name, &a.value).cmp(&(&b.name, &b.value)));
    let tags = tags::encode(&kept);
    let target = item.target.as_ref().map_or(&[][..], |target| &target.0[..]);
    base64url::encode(&deep_hash(&Chunk::List(vec![
        Chunk::Blob(b"dataitem"),
        Chunk::Blob(b"1"),
        Chunk::Blob(b"1"),
        Chunk::Blob(b""),
        Chunk::Blob(target),
        Chunk::Blob(item.anchor.as_ref().map_or(&[][..], |anchor| &anchor[..])),
        Chunk::Blob(&tags),
        Chunk::Blob(&item.data),
    ])))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `vectors/ao.json` `pushed_message_deep_hash`, computed with arbundles.
    #[test]
    fn the_pushed_hash_is_the_schedulers() {
        let tags = [
            ("Data-Protocol", "ao"),
            ("Type", "Message"),
            ("Variant", "ao.TN.1"),
            ("Action", "Credit"),
            ("From-Process", "Bb_ywOjoereNRG0hfl1Lb0XKukWAoFeTUiNSMWNEoYU"),
            ("From-Module", "Bk09j97XAMpXATeumwjClslfWASR9GvSp3GouU-KOTU"),
            ("Pushed-For", "iUS6el4LF6niOGX8YquNydMbxijJEbJhDBKmkCTqDCU"),
        ];
        let unsigned = Unsigned {
            owner: vec![1; 512],
            target: Some("qEJzlXx1NFC47kAAbv5ZVItnVxERu8Dh-mhwWFFbDF4".parse().unwrap()),
            anchor: Some(*b"00000000000000000000000000000001"),
            tags: tags.map(|(name, value)| Tag::new(name, value)).to_vec(),
            data: b"hi".to_vec(),
        };
        let item = unsigned.sign_with(vec![2; 512]).unwrap();
        let expected = "4bPAWINWvssEWU9w68dynsDSAa92ThlFRXL5Z5Iz4PMvCL8dBWrAvns5UMdlaf1Z";
        assert_eq!(pushed_hash(&item), expected);
    }

    /// `vectors/ao.json` `hash_chain`: ao-messages.md §4.
    #[test]
    fn the_hash_chain_is_the_schedulers() {
        let process: Id = "qEJzlXx1NFC47kAAbv5ZVItnVxERu8Dh-mhwWFFbDF4".parse().unwrap();
        let mut place = Place {
            process,
            previous: None,
            message: None,
            exclude: None,
            block_height: 1_444_444,
            timestamp: 1,
        };
        let first = place.hash_chain();
        assert_eq!(first.to_string(), "sYBjq1wQW4VsvrBSnwjiGSGgd7ahV6uszvRuBDREhsc");
        let head = Head {
            slot: 0,
            assignment: "Eo6Jb_gnLsCdFpC6uBaJLiupnnNnXkprWzMVpLDiYzg".parse().unwrap(),
            hash_chain: first,
            timestamp: 1,
        };
        place.previous = Some(&head);
        assert_eq!(place.hash_chain().to_string(), "V2ZZwKqKwv2CZHcbK2-glNeHJ0Xg2pq1HW0Sm7Tzl0A");
    }

    #[test]
    fn tags_are_in_the_schedulers_order() {
        let id = Id([7; 32]);
        let head = Head { slot: 4, assignment: id, hash_chain: id, timestamp: 1 };
        let place = Place {
            process: id,
            previous: Some(&head),
            message: Some(id),
            exclude: Some("Data,Anchor"),
            block_height: 1_444_444,
            timestamp: 5,
        };
        let tags = place.tags();
        let names: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
        let order = "Process Epoch Nonce Hash-Chain Block-Height Timestamp Data-Protocol Type Variant Message Exclude Exclude";
        assert_eq!(names.join(" "), order);
        assert_eq!((tags[2].value.as_str(), tags[4].value.as_str()), ("5", "000001444444"));
    }
}
