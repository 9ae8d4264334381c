//! The one error type of the house: a stable code for programs, a sentence for people, a cause for both.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;

/// The most fields of one error.
const MAX_FIELDS: usize = 16;
/// The longest value of a field, in characters.
const MAX_FIELD_CHARS: usize = 512;
/// The longest text of a program's own in a field, in characters.
const MAX_OUTPUT_CHARS: usize = 64 << 10;

/// What went wrong, and what a caller can do by machine: match on [`Error::code`], and read the values that the sentence
/// speaks of from [`Error::fields`]. docs/errors.md names the fields.
pub struct Error {
    code: Code,
    sentence: String,
    fields: BTreeMap<&'static str, String>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// Shorthand for results of this house.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with its stable code and a whole sentence that says what to do about it.
    #[must_use]
    pub fn new(code: Code, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into(), fields: BTreeMap::new(), cause: None }
    }

    /// Adds a field: a value that a program may want and should not have to read out of the sentence. One that is there
    /// already stays, since what is nearest to the fault knows best. Values are cut after 512 characters, and only the
    /// first 16 fields are kept.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        if self.fields.len() < MAX_FIELDS && !self.fields.contains_key(name) {
            self.fields.insert(name, value.to_string().chars().take(MAX_FIELD_CHARS).collect());
        }
        self
    }

    /// Adds the field `output`, unless it is empty: what a program printed before it failed. Of a long one the last 65,536
    /// characters, which are next to the fault.
    #[must_use]
    pub fn with_output(mut self, text: &str) -> Self {
        if !text.is_empty() && self.fields.len() < MAX_FIELDS {
            let left_out = text.chars().count().saturating_sub(MAX_OUTPUT_CHARS);
            self.fields.insert("output", text.chars().skip(left_out).collect());
        }
        self
    }

    /// Adds the fields of an error that this one speaks for.
    #[must_use]
    pub fn with_fields_of(mut self, other: &Self) -> Self {
        for (name, value) in &other.fields {
            self = self.with(name, value);
        }
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Puts a place in front of the sentence, for example `slot 12: …`.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.sentence = format!("{place}: {}", self.sentence);
        self
    }

    /// The stable code. Its text is [`Code::as_str`].
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The sentence, without the cause.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// The value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// All fields, by name.
    #[must_use]
    pub fn fields(&self) -> &BTreeMap<&'static str, String> {
        &self.fields
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.code.as_str(), self.sentence)?;
        if !self.fields.is_empty() {
            write!(f, " {:?}", self.fields)?;
        }
        if let Some(cause) = &self.cause {
            write!(f, " (cause: {cause})")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Every code Weft can answer with. A code never changes its meaning; new ones may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// All codes, in the order of docs/errors.md.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it stands in JSON, in JavaScript and on the page.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

// docs/errors.md explains each of these to a user; a test keeps the two equal.
codes! {
    // --- bytes that do not parse -------------------------------------------------------------------------
    /// Text that is not base64url.
    Base64Invalid = "base64-invalid",
    /// Text that is not a 43-character id.
    IdInvalid = "id-invalid",
    /// Text that is not the JSON we need.
    JsonInvalid = "json-invalid",
    /// A data item that ends before its fields do.
    ItemTruncated = "item-truncated",
    /// A data item with a field that no rule allows.
    ItemMalformed = "item-malformed",
    /// Tags that are not Avro, or that break a limit.
    TagsMalformed = "tags-malformed",
    /// A bundle whose header and items do not fit together.
    BundleMalformed = "bundle-malformed",
    /// A layer-1 transaction with a missing or impossible field.
    TransactionMalformed = "transaction-malformed",
    /// A layer-1 block with a missing or impossible field.
    BlockMalformed = "block-malformed",
    /// A chunk or a proof path that is not in the form of the network.
    ChunkMalformed = "chunk-malformed",
    /// A scheduler page that does not follow the scheduler's API.
    PageMalformed = "page-malformed",
    /// A structured HTTP field that is not RFC 9651.
    FieldMalformed = "field-malformed",
    /// An AO-Core message, or its form as headers and body, that no rule allows.
    MessageMalformed = "message-malformed",
    /// A path, or a request with one, that no rule of the path grammar allows.
    PathMalformed = "path-malformed",
    /// A receipt file that is not written as Weft writes them.
    ReceiptMalformed = "receipt-malformed",
    /// Something longer, deeper or more numerous than we accept.
    TooLarge = "too-large",

    // --- things that do not prove ------------------------------------------------------------------------
    /// The bytes are those of another id.
    IdMismatch = "id-mismatch",
    /// The signature is not the owner's over these bytes.
    SignatureInvalid = "signature-invalid",
    /// The source left out the assignment's anchor, so that its signature cannot be checked.
    AnchorMissing = "anchor-missing",
    /// A signature type this version does not check.
    SignatureUnsupported = "signature-unsupported",
    /// There is no signature to check.
    SignatureMissing = "signature-missing",
    /// The signature says until when it is to be taken, and that is over.
    SignatureExpired = "signature-expired",
    /// The signature covers something that is not here.
    ComponentMissing = "component-missing",
    /// Data that does not give the signed data root or size.
    DataRootMismatch = "data-root-mismatch",
    /// The path does not lead from the data root to a chunk at this place.
    ChunkPathInvalid = "chunk-path-invalid",
    /// The chunk is not the one its path leads to.
    ChunkMismatch = "chunk-mismatch",
    /// The path does not lead from the block's root to this transaction's data.
    TxPathInvalid = "tx-path-invalid",
    /// The block's transactions do not give its root.
    TxRootMismatch = "tx-root-mismatch",
    /// A block whose hash covers more than its header has.
    BlockUnsupported = "block-unsupported",
    /// The header is that of another block.
    BlockHashMismatch = "block-hash-mismatch",
    /// The signature is not the miner's over this header.
    BlockSignatureInvalid = "block-signature-invalid",
    /// The key that signed the block is not the one of its reward address.
    RewardAddressMismatch = "reward-address-mismatch",
    /// A block does not follow from the one before it.
    BlockLinkBroken = "block-link-broken",
    /// The header is not, and does not lead to, the one that was agreed on.
    BlockNotAgreed = "block-not-agreed",
    /// The block does not list the transaction.
    NotInBlock = "not-in-block",
    /// The bundle has no such item at this place.
    NotInBundle = "not-in-bundle",
    /// The chunks at hand do not cover the item.
    InclusionIncomplete = "inclusion-incomplete",
    /// The item is not a process.
    NotAProcess = "not-a-process",
    /// The item is not a module.
    NotAModule = "not-a-module",
    /// The item is not an assignment.
    NotAnAssignment = "not-an-assignment",
    /// The module is not the one the process names.
    ModuleMismatch = "module-mismatch",
    /// The key of a process or module is found from its signature, and nobody named its owner.
    OwnerUnproved = "owner-unproved",
    /// The assignment is signed by an address other than the process's scheduler.
    SchedulerMismatch = "scheduler-mismatch",
    /// The assignment is for another process.
    ProcessMismatch = "process-mismatch",
    /// The message is not the one the assignment names.
    MessageMismatch = "message-mismatch",
    /// The assignment names a message that no source has.
    MessageMissing = "message-missing",
    /// A slot is missing before this one.
    SlotMissing = "slot-missing",
    /// This slot was there before.
    SlotRepeated = "slot-repeated",
    /// The assignment is of another epoch than the one before it.
    EpochChanged = "epoch-changed",
    /// The hash chain does not follow from the assignment before.
    HashChainBroken = "hash-chain-broken",
    /// The assignment is older than the one before it.
    TimestampBackwards = "timestamp-backwards",
    /// The block height is lower than the one before it.
    BlockHeightBackwards = "block-height-backwards",
    /// Two assignments that do not contradict each other.
    FraudUnfounded = "fraud-unfounded",
    /// A receipt that says something else than its evidence.
    ReceiptMismatch = "receipt-mismatch",

    // --- modules and their messages ----------------------------------------------------------------------
    /// A `Module-Format` this version does not run.
    ModuleFormatUnsupported = "module-format-unsupported",
    /// A process that lists more modules than we run together.
    ModulesTooMany = "modules-too-many",
    /// A process that lists a module twice.
    ModuleRepeated = "module-repeated",
    /// A process that reads from outside its history, which this version does not replay.
    ExtensionUnsupported = "extension-unsupported",
    /// A process with cron messages, which no signature covers.
    CronUnsupported = "cron-unsupported",
    /// A module that is not valid WebAssembly, or that lacks what its format promises.
    ModuleInvalid = "module-invalid",
    /// More memory than the process, the module or the node allows.
    MemoryLimit = "memory-limit",
    /// More gas than the process, the module or the node allows.
    GasLimit = "gas-limit",
    /// The module trapped.
    Trap = "trap",
    /// The module threw an exception that nothing in it caught.
    ExceptionUncaught = "exception-uncaught",
    /// A message reads a file of Arweave that is not here yet; with it the message can be begun anew.
    FileWanted = "file-wanted",
    /// A message reads an item of Arweave that is not available to its process.
    FileRefused = "file-refused",
    /// The WebAssembly engine cannot say what the module does; another one may.
    EngineFailed = "engine-failed",
    /// Two WebAssembly engines made different things of a message.
    EnginesDiffer = "engines-differ",
    /// The module's answer is not the JSON of the `handle` ABI.
    ResultMalformed = "result-malformed",
    /// A Lua expression that does not compile, or that fails.
    LuaInvalid = "lua-invalid",
    /// A Lua script failed, as its own `pcall` could have caught.
    LuaError = "lua-error",
    /// A Lua script failed in a way that no `pcall` catches.
    LuaCrash = "lua-crash",
    /// A text that is no Lua program.
    LuaSyntax = "lua-syntax",
    /// A Lua script spent all its fuel.
    LuaOutOfFuel = "lua-out-of-fuel",
    /// A Lua script needs more memory than it may have.
    LuaOutOfMemory = "lua-out-of-memory",
    /// Calls or values of a Lua script nest too deep.
    LuaTooDeep = "lua-too-deep",
    /// Something a node has for Lua scripts and this version has not.
    LuaUnsupported = "lua-unsupported",
    /// The function of a Lua process failed; the process stands still for ever.
    LuaFailed = "lua-failed",
    /// A node fails over what a Lua process was given or gave; the process stands still for ever.
    LuaThrown = "lua-thrown",
    /// A Lua process has a state that a node can write and never read again.
    LuaUnreadable = "lua-unreadable",
    /// An earlier slot stopped this Lua process.
    LuaStuck = "lua-stuck",
    /// A snapshot that is truncated, altered or of another version.
    SnapshotInvalid = "snapshot-invalid",

    // --- devices -----------------------------------------------------------------------------------------
    /// A message names a device that is not here.
    DeviceUnknown = "device-unknown",
    /// A message names a device of HyperBEAM that has no place in a browser.
    DeviceUnavailable = "device-unavailable",
    /// A device was given what it cannot work with.
    DeviceFailed = "device-failed",
    /// A device that a page runs did not answer in time.
    DeviceSilent = "device-silent",
    /// A request asks more, or deeper, than it may.
    ResolveLimit = "resolve-limit",
    /// An answer cannot be written in the form that was asked for.
    NotAcceptable = "not-acceptable",

    // --- sources -----------------------------------------------------------------------------------------
    /// No source of the needed kind is configured.
    NoSource = "no-source",
    /// A source address that is not an http or https URL.
    SourceInvalid = "source-invalid",
    /// No source has it.
    NotFound = "not-found",
    /// The source cannot be reached.
    SourceUnreachable = "source-unreachable",
    /// The source did not answer in time.
    SourceTimeout = "source-timeout",
    /// The source answered with an error status.
    SourceStatus = "source-status",
    /// The source answered something other than what was asked for, such as an HTML page.
    SourceGarbled = "source-garbled",
    /// The source's pages never end, or do not advance.
    PageLoop = "page-loop",

    // --- the node ----------------------------------------------------------------------------------------
    /// Stopped because the user asked for it.
    Cancelled = "cancelled",
    /// The store refused to read or write.
    StoreFailed = "store-failed",
    /// What the store holds does not read back as written.
    StoreCorrupt = "store-corrupt",
    /// A request that the node does not understand.
    RequestInvalid = "request-invalid",
    /// A file or folder that cannot be read or written.
    Unreadable = "unreadable",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_ordered_and_the_nearest_stays() {
        let error = Error::new(Code::SlotMissing, "Slot 3 is missing.").with("wanted", 3).with("slot", 5);
        let outer =
            Error::new(Code::SlotMissing, "No source gave it.").with_fields_of(&error.with("slot", 7));
        assert_eq!(outer.field("slot"), Some("5"));
        assert_eq!(outer.fields().keys().copied().collect::<Vec<_>>(), ["slot", "wanted"]);
        assert_eq!(outer.field("signer"), None);
        assert_eq!(outer.at("slot 5").field("wanted"), Some("3"), "a place in front changes no field");
    }

    #[test]
    fn fields_are_bounded() {
        let long = "é".repeat(10_000);
        let mut error = Error::new(Code::NotFound, "").with("long", &long);
        assert_eq!(error.field("long").map(|value| value.chars().count()), Some(MAX_FIELD_CHARS));
        let names =
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r"];
        for name in names {
            error = error.with(name, 1);
        }
        assert_eq!(error.fields().len(), MAX_FIELDS);
        let printed = format!("{}end", "é".repeat(MAX_OUTPUT_CHARS));
        let error = Error::new(Code::LuaError, "").with_output(&printed);
        assert_eq!(error.field("output"), Some(&printed["ééé".len()..]));
        assert_eq!(Error::new(Code::LuaError, "").with_output("").field("output"), None);
    }
}
