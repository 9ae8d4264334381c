//! Blocks: hash, signature, links, and the root of their transactions (reference arweave.md §5 and §6).

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use weft_codec::block::{Block, BlockHash, Fork, Mining, TransactionTree, TxLeaf};
use weft_codec::{Code, Error, Id, Result};

use crate::keys::{self, Scheme};
use crate::receipt::Check;
use crate::trust::{Untrusted, Verified};

/// Bytes of a block's RSA key and signature.
const RSA: usize = 512;
/// Bytes of a compressed point, and of a signature that gives the key.
const ECDSA: (usize, usize) = (33, 65);

/// Proves a header: its fields give the hash it prints (and the expected one) and, from fork 2.6, the miner whom it pays
/// signed them.
///
/// It is not checked that work was done for it: RandomX and the VDF are out of reach for a light node. So a header that
/// verifies need not be of the chain; that is for agreement to say.
///
/// Errors: `block-unsupported` (below fork 2.0), `block-hash-mismatch`, `reward-address-mismatch`,
/// `block-signature-invalid`.
pub fn block(block: Untrusted<Block>, expected: Option<BlockHash>) -> Result<Verified<Block>> {
    let (block, source) = block.into_parts();
    let hash = block.computed_hash()?;
    for other in [Some(block.indep_hash), expected].into_iter().flatten() {
        if other != hash {
            let what = format!("{other} was expected; this header gives {hash}.");
            return Err(Error::new(Code::BlockHashMismatch, what).with("height", block.height));
        }
    }
    let what = "The fields of the header give this hash. That work was done for it (RandomX, VDF) is not checked here.";
    let mut checks = vec![
        Check::proved("block-hash", hash, what)
            .with("height", block.height)
            .with("fork", block.fork().as_str())
            .with("from", source.as_str()),
    ];
    if let Some(mining) = &block.mining {
        checks.push(signature(&block, mining, hash)?.with("from", source));
    }
    Ok(Verified::new(block, checks))
}

fn signature(block: &Block, mining: &Mining, hash: BlockHash) -> Result<Check> {
    let Mining { reward_key, signature, .. } = mining;
    let payee = Id::sha256(reward_key);
    if block.reward_addr != Some(payee) {
        let what = format!("The block is signed by a key of {payee}, which is not whom it pays.");
        return Err(Error::new(Code::RewardAddressMismatch, what));
    }
    let invalid = |cause: Option<Error>| {
        let what = format!("The signature of block {} is not its miner's.", block.height);
        let error = Error::new(Code::BlockSignatureInvalid, what);
        match cause {
            Some(cause) => error.because(cause),
            None => error,
        }
    };
    let preimage = block.signature_preimage()?;
    let algorithm = if (reward_key.len(), signature.len()) == (RSA, RSA) {
        keys::verify(Scheme::RsaPssSha256, reward_key, &preimage, signature)
            .map_err(|cause| invalid(Some(cause)))?;
        "RSA-PSS SHA-256"
    } else if (reward_key.len(), signature.len()) == ECDSA && block.fork() >= Fork::F2_9 {
        let key = keys::recover_secp256k1(&Sha256::digest(&preimage).into(), signature)
            .map_err(|cause| invalid(Some(cause)))?;
        if key.compressed != **reward_key {
            return Err(invalid(None));
        }
        "ECDSA secp256k1 SHA-256"
    } else {
        return Err(invalid(None));
    };
    let check = Check::proved("block-signature", hash, "The miner whom it pays signed the header.");
    Ok(check.with("algorithm", algorithm).with("miner", payee))
}

/// That one header is the next after another: hash, height, the commitment to all earlier blocks, sizes and, from fork
/// 2.6, the solution and the work before it. What each header is worth is for [`block`] to say. Error:
/// `block-link-broken`.
pub fn follows(parent: &Block, child: &Block) -> Result<Check> {
    let broken = |what: &str| {
        let sentence =
            format!("Block {} does not follow from block {}: {what}.", child.height, parent.height);
        Err(Error::new(Code::BlockLinkBroken, sentence))
    };
    if child.previous_block != *parent.indep_hash.as_bytes() {
        return broken("it names another block as the one before");
    }
    if parent.height.checked_add(1) != Some(child.height) {
        return broken("its height is not the next one");
    }
    let commitment = parent.next_hash_list_merkle();
    if commitment.is_some_and(|wanted| child.hash_list_merkle != wanted) {
        return broken("its commitment to all blocks before is another");
    }
    if let Some(mining) = &child.mining {
        if parent.weave_size.checked_add(child.block_size) != Some(child.weave_size) {
            return broken("the weave did not grow by its size");
        }
        if mining.previous_solution_hash != parent.hash {
            return broken("it names another solution as the one before");
        }
        if mining.previous_cumulative_diff != parent.cumulative_diff {
            return broken("it names other work as done before");
        }
    }
    let mut check = Check::proved("block-link", child.indep_hash, "The block names the one before it.")
        .with("previous", parent.indep_hash)
        .with("height", child.height);
    if let Some(commitment) = commitment {
        check = check.with("hash-list-merkle", weft_codec::base64url::encode(&commitment));
    }
    Ok(check)
}

/// That these are the transactions of a block, all of them: their ids are those it lists, and their data give its root.
/// Error: `tx-root-mismatch`.
pub fn block_transactions(block: &Verified<Block>, transactions: &[TxLeaf]) -> Result<Check> {
    let mismatch = |what: &str| {
        let sentence = format!("The transactions of block {} are others: {what}.", block.height);
        Err(Error::new(Code::TxRootMismatch, sentence))
    };
    let listed: BTreeSet<Id> = block.txs.iter().copied().collect();
    let given: BTreeSet<Id> = transactions.iter().map(|one| one.id).collect();
    if listed != given || transactions.len() != block.txs.len() {
        return mismatch("the header lists other ids");
    }
    let tree = TransactionTree::new(transactions, block.height);
    if tree.as_ref().map(|tree| tree.tree.root()) != block.tx_root {
        return mismatch("their data give another root");
    }
    if tree.map_or(0, |tree| tree.size) != block.block_size {
        return mismatch("their data have another size");
    }
    let what = "These are all of the block's transactions, and their data give its root.";
    let check = Check::proved("tx-root", block.indep_hash, what).with("transactions", transactions.len());
    Ok(check.with("root", block.tx_root.map(|root| root.to_string()).unwrap_or_default()))
}
