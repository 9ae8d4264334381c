//! The way back: what the pages of the memory held before a message wrote to them.
//!
//! A second memory ([`super::UNDO`]) begins with two bytes for each page of 4,096 bytes that the memory may come to have, all first ones
//! before all second ones: whether the page and the one before it are saved, and whether the page is. Behind them are records, each of a
//! page's index and its bytes as they were. Before the module writes to a page for the first time, the page is saved ([`super::marks`]
//! says where that is looked at); the host does so before its own writes, by [`super::SAVE`]. [`super::BACK`] writes the records back,
//! [`super::KEEP`] forgets them. Nothing of this costs gas, and the module cannot see it.
//!
//! Where this machine has no room for another record the module traps before it writes, with [`super::LOST`] set: the message has no
//! outcome, and can still be undone.

use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, MemArgTarget, MemoryType, ValType};
use weft_codec::Result;

use super::invalid;
use super::marks::{Base, Mark};
use super::shape::Shape;

/// The index of the memory of records: after the module's own.
pub(super) const MEMORY: u32 = 1;

/// Most pages of wasm that a memory may have: what a 64-bit heap may have in the loader, 16 GiB; and of 32 bits one page less than
/// addresses reach, so that no sum of an address in it and what one mark answers for wraps.
const MAX_PAGES_64: u64 = 1 << 18;
const MAX_PAGES_32: u64 = (1 << 16) - 1;

/// Bits of an address within a page of 4,096 bytes, and bytes of one.
const PAGE_BITS: i32 = 12;
const PAGE: i32 = 1 << PAGE_BITS;

/// A record: the index, four bytes of nothing, the page.
pub(crate) const HEAD: i32 = 8;
pub(crate) const RECORD: i32 = HEAD + PAGE;
/// In the index of a record without bytes: the page lay beyond the memory.
pub(crate) const BEYOND: i32 = i32::MIN;

/// Pages of wasm by which the memory of records grows.
const STEP: i32 = 16;

/// Our functions, in their order.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Helper {
    /// Saves a page and the one before it.
    Two,
    /// Saves a page.
    One,
    /// Saves the pages of a range.
    Range,
    /// Saves all pages.
    All,
    /// Writes the records back.
    Back,
    /// Forgets the records.
    Keep,
}

/// Where things are in the rewritten module.
#[derive(Clone, Copy)]
pub(super) struct Undo {
    /// Whether addresses have 64 bits.
    pub(super) wide: bool,
    /// How many pages have bytes. The records are behind those.
    pub(super) pages: i32,
    /// The global that counts the records, and the one that says that there was no room.
    pub(super) count: u32,
    pub(super) lost: u32,
    /// The first of [`Helper`].
    pub(super) first: u32,
}

/// Most pages that the module's memory may have.
pub(crate) const fn most_pages(wide: bool) -> u64 {
    if wide { MAX_PAGES_64 } else { MAX_PAGES_32 }
}

/// How many pages have bytes: those of the memory, and one beyond it, since what is saved may lie behind what is written.
///
/// # Errors
/// `module-invalid` for a memory that is too large.
pub(super) fn pages(shape: &Shape) -> Result<i32> {
    let (first, most) = shape.memory.unwrap_or((0, 0));
    if first > most_pages(shape.wide) {
        return Err(invalid("the module starts with more memory than this version has for it"));
    }
    let bytes = (most.min(most_pages(shape.wide)) * 16 + 1).next_multiple_of(1 << 16);
    i32::try_from(bytes).map_err(|_| invalid("the module's memory is too large"))
}

impl Undo {
    /// The memory of records.
    pub(super) fn memory(self) -> MemoryType {
        let minimum = u64::from(self.first_record().cast_unsigned() >> 16);
        MemoryType { memory64: false, shared: false, minimum, maximum: Some(1 << 16), page_size_log2: None }
    }

    /// Where the records begin.
    const fn first_record(self) -> i32 {
        self.pages.saturating_mul(2)
    }

    /// The second byte of a page.
    fn saved(self) -> MemArg {
        MemArg { offset: u64::from(self.pages.cast_unsigned()), ..at(0) }
    }

    pub(super) fn helper(self, helper: Helper) -> u32 {
        self.first.saturating_add(helper as u32)
    }

    /// Saves what a store is about to write to, with a local of ours for the page.
    pub(super) fn save(self, code: &mut InstructionSink<'_>, mark: &Mark, first_kept: u32, page: u32) {
        match mark.base {
            Base::Unknown => {
                code.call(self.helper(Helper::All));
                return;
            }
            Base::Constant(base) => {
                let last =
                    if self.wide { base.wrapping_add(mark.last) } else { base.saturating_add(mark.last) };
                code.i32_const(u32::try_from(last >> PAGE_BITS).unwrap_or(u32::MAX).cast_signed());
            }
            Base::Local(local) => self.page(code, local, mark.last),
            Base::Kept(local) => self.page(code, first_kept + local, mark.last),
        }
        code.local_tee(page).i32_load8_u(at(0)).i32_eqz().if_(BlockType::Empty);
        code.local_get(page).call(self.helper(Helper::Two)).end();
    }

    /// The page of a local's value and so much more.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what does not fit 32 bits is outside of a 32-bit memory, and traps"
    )]
    fn page(self, code: &mut InstructionSink<'_>, local: u32, last: u64) {
        code.local_get(local);
        if self.wide {
            if last > 0 {
                code.i64_const(last.cast_signed()).i64_add();
            }
            code.i64_const(PAGE_BITS.into()).i64_shr_u().i32_wrap_i64();
        } else {
            if last > 0 {
                code.i32_const((last as u32).cast_signed()).i32_add();
            }
            code.i32_const(PAGE_BITS).i32_shr_u();
        }
    }

    pub(super) fn bodies(self) -> [Function; 6] {
        [self.two(), self.one(), self.range(), self.all(), self.back(), self.keep()]
    }

    /// What lies beyond everything is left to the trap that follows.
    fn two(self) -> Function {
        let (mut function, page) = (Function::new([]), 0);
        let mut code = function.instructions();
        code.local_get(page).i32_const(self.pages).i32_ge_u().if_(BlockType::Empty).return_().end();
        code.local_get(page).call(self.helper(Helper::One));
        code.local_get(page).if_(BlockType::Empty);
        code.local_get(page).i32_const(1).i32_sub().call(self.helper(Helper::One)).end();
        code.local_get(page).i32_const(1).i32_store8(at(0)).end();
        function
    }

    /// Saves a page, unless it is saved.
    fn one(self) -> Function {
        let (page, record) = (0, 1);
        let mut function = Function::new([(1, ValType::I32)]);
        let mut code = function.instructions();
        code.local_get(page).i32_load8_u(self.saved()).if_(BlockType::Empty).return_().end();
        self.address(&mut code, record);
        // Room for it, in 64 bits: the memory of records may have 4 GiB.
        code.local_get(record).i64_extend_i32_u().i64_const(RECORD.into()).i64_add();
        code.memory_size(MEMORY).i64_extend_i32_u().i64_const(16).i64_shl().i64_gt_u().if_(BlockType::Empty);
        code.i32_const(STEP).memory_grow(MEMORY).i32_const(-1).i32_eq().if_(BlockType::Empty);
        code.i32_const(1).global_set(self.lost).unreachable().end().end();
        // The page, if it is in the memory.
        code.local_get(page).i64_extend_i32_u().i64_const(4).i64_shr_u();
        self.memory_pages(&mut code);
        code.i64_lt_u().if_(BlockType::Empty);
        code.local_get(record).local_get(page).i32_store(word());
        code.local_get(record).i32_const(HEAD).i32_add();
        self.start(&mut code, |code| {
            code.local_get(page);
        });
        code.i32_const(PAGE).memory_copy(MEMORY, 0);
        code.else_();
        code.local_get(record).local_get(page).i32_const(BEYOND).i32_or().i32_store(word()).end();
        code.local_get(page).i32_const(1).i32_store8(self.saved());
        code.global_get(self.count).i32_const(1).i32_add().global_set(self.count).end();
        function
    }

    /// The address of the record behind the last one.
    fn address(self, code: &mut InstructionSink<'_>, to: u32) {
        code.global_get(self.count)
            .i32_const(RECORD)
            .i32_mul()
            .i32_const(self.first_record())
            .i32_add()
            .local_set(to);
    }

    /// Pages of wasm that the memory has, as 64 bits.
    fn memory_pages(self, code: &mut InstructionSink<'_>) {
        code.memory_size(0);
        if !self.wide {
            code.i64_extend_i32_u();
        }
    }

    /// Where a page begins, by the memory's width.
    fn start(self, code: &mut InstructionSink<'_>, page: impl FnOnce(&mut InstructionSink<'_>)) {
        page(code);
        if self.wide {
            code.i64_extend_i32_u().i64_const(PAGE_BITS.into()).i64_shl();
        } else {
            code.i32_const(PAGE_BITS).i32_shl();
        }
    }

    /// Saves the pages of a range: where it begins, and how many bytes. A range that is not in the memory is left to the trap that
    /// follows.
    fn range(self) -> Function {
        let (start, len, page, last) = (0, 1, 2, 3);
        let mut function = Function::new([(2, ValType::I64)]);
        let mut code = function.instructions();
        let get = |code: &mut InstructionSink<'_>, local| {
            code.local_get(local);
            if !self.wide {
                code.i64_extend_i32_u();
            }
        };
        get(&mut code, len);
        code.i64_eqz().if_(BlockType::Empty).return_().end();
        // The memory's bytes.
        self.memory_pages(&mut code);
        code.i64_const(16).i64_shl().local_tee(last);
        get(&mut code, start);
        code.i64_lt_u().if_(BlockType::Empty).return_().end();
        code.local_get(last);
        get(&mut code, start);
        code.i64_sub();
        get(&mut code, len);
        code.i64_lt_u().if_(BlockType::Empty).return_().end();
        get(&mut code, start);
        code.i64_const(PAGE_BITS.into()).i64_shr_u().local_set(page);
        get(&mut code, start);
        get(&mut code, len);
        code.i64_add().i64_const(1).i64_sub().i64_const(PAGE_BITS.into()).i64_shr_u().local_set(last);
        code.loop_(BlockType::Empty);
        code.local_get(page).i32_wrap_i64().call(self.helper(Helper::One));
        code.local_get(page)
            .i64_const(1)
            .i64_add()
            .local_tee(page)
            .local_get(last)
            .i64_le_u()
            .br_if(0)
            .end()
            .end();
        function
    }

    fn all(self) -> Function {
        let (mut function, page, pages) = (Function::new([(2, ValType::I32)]), 0, 1);
        let mut code = function.instructions();
        self.memory_pages(&mut code);
        // Pages of 4,096 bytes in one of wasm.
        code.i32_wrap_i64()
            .i32_const(4)
            .i32_shl()
            .local_set(pages)
            .block(BlockType::Empty)
            .loop_(BlockType::Empty);
        code.local_get(page).local_get(pages).i32_ge_u().br_if(1);
        code.local_get(page).call(self.helper(Helper::One));
        code.local_get(page).i32_const(1).i32_add().local_set(page).br(0).end().end().end();
        function
    }

    /// For each record, the newest first: what `each` does with it, whose address and page are in locals.
    fn records(self, each: impl FnOnce(&mut InstructionSink<'_>, u32, u32)) -> Function {
        let (record, page) = (0, 1);
        let mut function = Function::new([(2, ValType::I32)]);
        let mut code = function.instructions();
        code.block(BlockType::Empty).loop_(BlockType::Empty);
        code.global_get(self.count).i32_eqz().br_if(1);
        code.global_get(self.count).i32_const(1).i32_sub().global_set(self.count);
        self.address(&mut code, record);
        code.local_get(record).i32_load(word()).local_set(page);
        each(&mut code, record, page);
        code.local_get(page).i32_const(i32::MAX).i32_and().local_tee(page).i32_const(0).i32_store8(at(0));
        code.local_get(page).i32_const(0).i32_store8(self.saved()).br(0).end().end();
        code.i32_const(0).global_set(self.lost).end();
        function
    }

    fn back(self) -> Function {
        self.records(|code, record, page| {
            code.local_get(page).i32_const(0).i32_ge_s().if_(BlockType::Empty);
            self.start(code, |code| {
                code.local_get(page);
            });
            code.local_get(record).i32_const(HEAD).i32_add().i32_const(PAGE).memory_copy(0, MEMORY).end();
        })
    }

    fn keep(self) -> Function {
        self.records(|_, _, _| {})
    }
}

/// A byte of the memory of records.
fn at(offset: u64) -> MemArg {
    MemArg { offset, align: 0, target: MemArgTarget::Memory(MEMORY), ordering: None }
}

/// A word of it.
fn word() -> MemArg {
    MemArg { align: 2, ..at(0) }
}
