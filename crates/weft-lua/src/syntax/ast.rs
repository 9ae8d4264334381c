//! Syntax.

use crate::number::{BinOp, Num, UnOp};

/// A name, as an index into the names of its chunk.
pub(crate) type Name = u32;

/// A chunk: a function with any number of arguments.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) names: Vec<Box<[u8]>>,
    pub(crate) body: Body,
    /// How many blocks there are.
    pub(crate) blocks: usize,
    /// Luerl's compiler fails on labels and jumps to them.
    pub(crate) has_labels: bool,
}

/// A function: its parameters and its block.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) parameters: Vec<Name>,
    pub(crate) is_vararg: bool,
    pub(crate) block: Block,
    /// How it was defined: `a.b.c`.
    pub(crate) name: Option<String>,
    /// The line where it begins; profile `lua53` alone.
    pub(crate) line: u32,
}

/// Statements, and which of the chunk's blocks they are.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) id: usize,
    pub(crate) statements: Vec<Statement>,
}

#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) line: u32,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Assign {
        targets: Vec<Expr>,
        values: Vec<Expr>,
    },
    Call(Expr),
    Return(Vec<Expr>),
    Break,
    Block(Block),
    While {
        condition: Expr,
        block: Block,
    },
    Repeat {
        block: Block,
        until: Expr,
    },
    If {
        tests: Vec<(Expr, Block)>,
        otherwise: Block,
    },
    Count {
        name: Name,
        from: Expr,
        limit: Expr,
        step: Option<Expr>,
        block: Block,
    },
    Each {
        names: Vec<Name>,
        values: Vec<Expr>,
        block: Block,
    },
    Local {
        names: Vec<Name>,
        values: Vec<Expr>,
    },
    LocalFunction {
        name: Name,
        body: Box<Body>,
    },
    /// `goto` and labels: profile `lua53` alone.
    Goto(Name),
    Label(Name),
}

#[derive(Debug)]
pub(crate) enum Expr {
    Nil,
    Bool(bool),
    Number(Num),
    Text(Box<[u8]>),
    /// `...`, and its line.
    Varargs(u32),
    Function(Box<Body>),
    Table(Vec<Field>),
    Name(Name),
    Index(Box<Expr>, Box<Expr>),
    Call(Box<Expr>, Vec<Expr>),
    Method(Box<Expr>, Name, Vec<Expr>),
    /// In parentheses: one value.
    One(Box<Expr>),
    /// Operators from left to right.
    Binary(Box<Expr>, Vec<(BinOp, Expr)>),
    Unary(UnOp, Box<Expr>),
    Not(Box<Expr>),
    Length(Box<Expr>),
    /// `a .. b .. c`, which is read from the right.
    Concat(Vec<Expr>),
    Compare(Relation, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    /// On another line than its statement; profile `lua53` alone.
    At(u32, Box<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Debug)]
pub(crate) enum Field {
    Item(Expr),
    Named(Name, Expr),
    Keyed(Expr, Expr),
}
