//! What the executor runs.

/// A register of the running function.
pub(crate) type Reg = u8;

/// As a count: as many values as there are.
pub(crate) const MANY: u8 = u8::MAX;

/// An instruction. `to` is always the index of an instruction.
///
/// Conditional jumps leave when their condition is *false*. Those with `swapped` compare for `>` and `>=`, whose operands
/// Luerl swaps; its errors show that.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Move {
        to: Reg,
        from: Reg,
    },
    Constant {
        to: Reg,
        index: u32,
    },
    Int {
        to: Reg,
        value: i32,
    },
    Nil {
        to: Reg,
        count: u8,
    },
    Bool {
        to: Reg,
        value: bool,
    },
    GetEnv {
        to: Reg,
        depth: u16,
        slot: u16,
    },
    SetEnv {
        from: Reg,
        depth: u16,
        slot: u16,
    },
    GetGlobal {
        to: Reg,
        name: u32,
    },
    SetGlobal {
        from: Reg,
        name: u32,
    },
    GetIndex {
        to: Reg,
        table: Reg,
        key: Reg,
    },
    GetField {
        to: Reg,
        table: Reg,
        name: u32,
    },
    SetIndex {
        table: Reg,
        key: Reg,
        value: Reg,
    },
    SetField {
        table: Reg,
        value: Reg,
        name: u32,
    },
    NewTable {
        to: Reg,
        array: u16,
        fields: u16,
    },
    /// A constructor's entry: `nil` is left out, and a `nil` key is one.
    InitIndex {
        table: Reg,
        key: Reg,
        value: Reg,
    },
    InitField {
        table: Reg,
        value: Reg,
        name: u32,
    },
    InitItem {
        table: Reg,
        value: Reg,
        at: u32,
    },
    /// All values from a register on.
    InitItems {
        table: Reg,
        from: Reg,
        at: u32,
    },
    /// The constructor is done: the table gets its number.
    Seal {
        table: Reg,
    },
    Add {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Sub {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Mul {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Mod {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Div {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    IDiv {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    AddInt {
        to: Reg,
        a: Reg,
        value: i32,
    },
    SubInt {
        to: Reg,
        a: Reg,
        value: i32,
    },
    /// Any other operator of two numbers.
    Arith {
        op: crate::number::BinOp,
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Neg {
        to: Reg,
        a: Reg,
    },
    Bnot {
        to: Reg,
        a: Reg,
    },
    Not {
        to: Reg,
        a: Reg,
    },
    Length {
        to: Reg,
        a: Reg,
    },
    Concat {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    /// All of these registers, if each is a string or number: then the `count - 1` instructions that follow are skipped, which
    /// do it two by two.
    ConcatAll {
        to: Reg,
        from: Reg,
        count: u8,
    },
    Eq {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Ne {
        to: Reg,
        a: Reg,
        b: Reg,
    },
    Lt {
        to: Reg,
        a: Reg,
        b: Reg,
        swapped: bool,
    },
    Le {
        to: Reg,
        a: Reg,
        b: Reg,
        swapped: bool,
    },
    Jump {
        to: u32,
    },
    /// A jump backwards: the place where fuel and memory are looked at.
    Loop {
        to: u32,
    },
    IfTrue {
        a: Reg,
        to: u32,
    },
    IfFalse {
        a: Reg,
        to: u32,
    },
    IfEq {
        a: Reg,
        b: Reg,
        to: u32,
    },
    IfNe {
        a: Reg,
        b: Reg,
        to: u32,
    },
    IfLt {
        a: Reg,
        b: Reg,
        swapped: bool,
        to: u32,
    },
    IfLe {
        a: Reg,
        b: Reg,
        swapped: bool,
        to: u32,
    },
    IfEqInt {
        a: Reg,
        value: i16,
        to: u32,
    },
    IfNeInt {
        a: Reg,
        value: i16,
        to: u32,
    },
    IfEqShort {
        a: Reg,
        index: u16,
        to: u32,
    },
    IfNeShort {
        a: Reg,
        index: u16,
        to: u32,
    },
    IfLtInt {
        a: Reg,
        value: i16,
        to: u32,
    },
    IfLeInt {
        a: Reg,
        value: i16,
        to: u32,
    },
    IfGtInt {
        a: Reg,
        value: i16,
        to: u32,
    },
    IfGeInt {
        a: Reg,
        value: i16,
        to: u32,
    },
    /// Of a list of values from a register on: leaves if its first is there and true (or, with `unless`, if not).
    IfFirst {
        a: Reg,
        unless: bool,
        to: u32,
    },
    /// One value as a list.
    AsList {
        a: Reg,
    },
    /// The first values of a table, as a list from its register on.
    Spread {
        table: Reg,
        count: u32,
    },
    /// A list as so many values.
    Adjust {
        from: Reg,
        count: u8,
    },
    /// Calls the function in `f` with the registers that follow it.
    Call {
        f: Reg,
        count: u8,
        results: u8,
    },
    TailCall {
        f: Reg,
        count: u8,
    },
    /// Puts the method of the object in `f + 1` into `f`; the arguments are there already.
    Method {
        f: Reg,
        name: u32,
    },
    Return {
        from: Reg,
        count: u8,
    },
    ReturnNone,
    ReturnOne {
        from: Reg,
    },
    Varargs {
        to: Reg,
        count: u8,
    },
    /// Checks counter, limit and step, and leaves if there is nothing to do; the variable is the fourth register.
    ForPrepare {
        base: Reg,
        to: u32,
    },
    ForLoop {
        base: Reg,
        to: u32,
    },
    /// Calls the iterator; leaves when it is done. Its variables are from the fourth register on.
    ForEach {
        base: Reg,
        count: u8,
        to: u32,
    },
    /// Luerl's reading of what follows `in`: fewer than three values, or none.
    ForList {
        base: Reg,
    },
    Closure {
        to: Reg,
        index: u32,
    },
    PushEnv {
        size: u16,
    },
    PopEnv {
        count: u16,
    },
    /// Luerl fails here: a variable that its compiler lost.
    Lost,
    /// `break` outside a loop.
    StrayBreak,
}
