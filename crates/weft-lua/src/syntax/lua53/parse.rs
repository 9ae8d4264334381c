//! The parser of Lua 5.3: statements.

use std::collections::BTreeMap;

use super::refused;
use super::scan::{Scanned, Scanner, Token};
use crate::error::LuaError;
use crate::syntax::ast::{Block, Body, Expr, Kind, Name, Program, Statement};

/// How deep syntax may nest: PUC's bound.
const MAX_DEPTH: usize = 200;
/// Variables of one function: PUC's bound.
const MAX_LOCALS: usize = 200;

/// Parses a chunk.
pub(crate) fn parse(text: &[u8], name: &str) -> Result<Program, LuaError> {
    let chunk = super::short_name(name);
    let mut scanner = Scanner::new(text, chunk);
    let now = scanner.next()?;
    let mut parser = Parser {
        scanner,
        now,
        ahead: None,
        last: 1,
        statement: 1,
        names: Vec::new(),
        known: BTreeMap::new(),
        depth: 0,
        blocks: 0,
        functions: vec![Function { line: 0, is_vararg: true, locals: 0, loops: 0 }],
    };
    let block = parser.block()?;
    if parser.now.token != Token::End {
        return Err(parser.expected("<eof>"));
    }
    let body = Body { parameters: Vec::new(), is_vararg: true, block, name: None, line: 0 };
    Ok(Program { names: parser.names, body, blocks: parser.blocks, has_labels: false })
}

/// What is known of a function while it is read.
pub(super) struct Function {
    line: u32,
    pub(super) is_vararg: bool,
    locals: usize,
    loops: usize,
}

pub(super) struct Parser<'a> {
    scanner: Scanner<'a>,
    pub(super) now: Scanned,
    /// The token after it, where it was needed.
    ahead: Option<Scanned>,
    /// The line of the token before.
    pub(super) last: u32,
    /// The line of the statement that is read.
    pub(super) statement: u32,
    names: Vec<Box<[u8]>>,
    known: BTreeMap<Box<[u8]>, Name>,
    pub(super) depth: usize,
    blocks: usize,
    pub(super) functions: Vec<Function>,
}

impl Parser<'_> {
    pub(super) fn advance(&mut self) -> Result<Scanned, LuaError> {
        self.last = self.now.line;
        let next = match self.ahead.take() {
            Some(next) => next,
            None => self.scanner.next()?,
        };
        Ok(std::mem::replace(&mut self.now, next))
    }

    /// Whether a sign comes after the token of now.
    pub(super) fn follows(&mut self, sign: &str) -> Result<bool, LuaError> {
        if self.ahead.is_none() {
            self.ahead = Some(self.scanner.next()?);
        }
        Ok(matches!(&self.ahead, Some(Scanned { token: Token::Fixed(next), .. }) if *next == sign))
    }

    pub(super) fn is(&self, sign: &str) -> bool {
        matches!(self.now.token, Token::Fixed(now) if now == sign)
    }

    pub(super) fn accept(&mut self, sign: &str) -> Result<bool, LuaError> {
        let there = self.is(sign);
        if there {
            self.advance()?;
        }
        Ok(there)
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), LuaError> {
        if self.accept(sign)? { Ok(()) } else { Err(self.expected(&format!("'{sign}'"))) }
    }

    /// What closes something that was opened on a line.
    pub(super) fn close(&mut self, sign: &str, opened: &str, line: u32) -> Result<(), LuaError> {
        if self.accept(sign)? {
            return Ok(());
        }
        if line == self.now.line {
            return Err(self.expected(&format!("'{sign}'")));
        }
        Err(self.complain(&format!("'{sign}' expected (to close '{opened}' at line {line})")))
    }

    #[cold]
    pub(super) fn expected(&self, what: &str) -> LuaError {
        self.complain(&format!("{what} expected"))
    }

    #[cold]
    pub(super) fn complain(&self, what: &str) -> LuaError {
        refused(&self.scanner.chunk, self.scanner.line, what, Some(&self.now.near()))
    }

    pub(super) fn name(&mut self) -> Result<Name, LuaError> {
        if self.now.token != Token::Name {
            return Err(self.expected("<name>"));
        }
        let bytes = self.advance()?.bytes;
        Ok(self.intern(&bytes))
    }

    pub(super) fn intern(&mut self, bytes: &[u8]) -> Name {
        if let Some(name) = self.known.get(bytes) {
            return *name;
        }
        let name = Name::try_from(self.names.len()).unwrap_or(Name::MAX);
        self.names.push(bytes.into());
        self.known.insert(bytes.into(), name);
        name
    }

    pub(super) fn text_of(&self, name: Name) -> Expr {
        Expr::Text(self.names.get(name as usize).cloned().unwrap_or_default())
    }

    pub(super) fn deeper(&mut self) -> Result<(), LuaError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(self.over(MAX_DEPTH, "C levels")) } else { Ok(()) }
    }

    #[cold]
    fn over(&self, limit: usize, what: &str) -> LuaError {
        let line = self.functions.last().map_or(0, |function| function.line);
        let place = if line == 0 { "main function".to_owned() } else { format!("function at line {line}") };
        self.complain(&format!("too many {what} (limit is {limit}) in {place}"))
    }

    /// Counts further variables of the function.
    fn declare(&mut self, count: usize) -> Result<(), LuaError> {
        let Some(function) = self.functions.last_mut() else { return Ok(()) };
        function.locals += count;
        if function.locals > MAX_LOCALS { Err(self.over(MAX_LOCALS, "local variables")) } else { Ok(()) }
    }

    pub(super) fn ends_block(&self) -> bool {
        match self.now.token {
            Token::End => true,
            Token::Fixed(sign) => matches!(sign, "end" | "else" | "elseif" | "until"),
            _ => false,
        }
    }

    pub(super) fn block(&mut self) -> Result<Block, LuaError> {
        self.deeper()?;
        let locals = self.functions.last().map_or(0, |function| function.locals);
        let id = self.blocks;
        self.blocks += 1;
        let mut statements = Vec::new();
        while !self.ends_block() {
            let line = self.now.line;
            self.statement = line;
            if self.accept("return")? {
                let values = if self.ends_block() || self.is(";") { Vec::new() } else { self.expressions()? };
                self.accept(";")?;
                statements.push(Statement { line, kind: Kind::Return(values) });
                break;
            }
            if let Some(kind) = self.statement(line)? {
                statements.push(Statement { line, kind });
            }
        }
        if let Some(function) = self.functions.last_mut() {
            function.locals = locals;
        }
        self.depth -= 1;
        Ok(Block { id, statements })
    }

    fn closed_block(&mut self, opened: &str, line: u32) -> Result<Block, LuaError> {
        let block = self.block()?;
        self.close("end", opened, line)?;
        Ok(block)
    }

    fn body_of_loop(&mut self, opened: &str, line: u32) -> Result<Block, LuaError> {
        self.loops(1);
        let block = self.closed_block(opened, line)?;
        self.loops(-1);
        Ok(block)
    }

    fn loops(&mut self, change: isize) {
        if let Some(function) = self.functions.last_mut() {
            function.loops = function.loops.saturating_add_signed(change);
        }
    }

    fn statement(&mut self, line: u32) -> Result<Option<Kind>, LuaError> {
        self.deeper()?;
        let Token::Fixed(sign) = self.now.token else {
            let kind = self.expression_statement()?;
            self.depth -= 1;
            return Ok(Some(kind));
        };
        let kind = match sign {
            ";" => {
                self.advance()?;
                None
            }
            "::" => {
                self.advance()?;
                let name = self.name()?;
                self.expect("::")?;
                Some(Kind::Label(name))
            }
            "goto" => {
                self.advance()?;
                Some(Kind::Goto(self.name()?))
            }
            "break" => {
                self.advance()?;
                if self.functions.last().is_none_or(|function| function.loops == 0) {
                    let what = format!("<break> at line {line} not inside a loop");
                    // PUC finds out at the end of the function's block; the token shown may differ.
                    return Err(self.complain(&what));
                }
                Some(Kind::Break)
            }
            "do" => {
                self.advance()?;
                Some(Kind::Block(self.closed_block("do", line)?))
            }
            "while" => Some(self.while_statement(line)?),
            "repeat" => Some(self.repeat_statement(line)?),
            "if" => Some(self.if_statement(line)?),
            "for" => Some(self.for_statement(line)?),
            "function" => Some(self.function_statement(line)?),
            "local" => Some(self.local_statement()?),
            _ => Some(self.expression_statement()?),
        };
        self.depth -= 1;
        Ok(kind)
    }

    fn while_statement(&mut self, line: u32) -> Result<Kind, LuaError> {
        self.advance()?;
        let condition = self.expression()?;
        self.expect("do")?;
        Ok(Kind::While { condition, block: self.body_of_loop("while", line)? })
    }

    fn repeat_statement(&mut self, line: u32) -> Result<Kind, LuaError> {
        self.advance()?;
        self.loops(1);
        let block = self.block()?;
        self.loops(-1);
        self.close("until", "repeat", line)?;
        self.statement = self.now.line;
        Ok(Kind::Repeat { block, until: self.expression()? })
    }

    fn if_statement(&mut self, line: u32) -> Result<Kind, LuaError> {
        let mut tests = Vec::new();
        loop {
            self.advance()?;
            let condition = self.expression()?;
            self.expect("then")?;
            tests.push((condition, self.block()?));
            if !self.is("elseif") {
                break;
            }
            self.statement = self.now.line;
        }
        let otherwise = if self.accept("else")? {
            self.block()?
        } else {
            self.blocks += 1;
            Block { id: self.blocks - 1, statements: Vec::new() }
        };
        self.close("end", "if", line)?;
        Ok(Kind::If { tests, otherwise })
    }

    fn for_statement(&mut self, line: u32) -> Result<Kind, LuaError> {
        self.advance()?;
        let first = self.name()?;
        if self.is("=") {
            self.advance()?;
            let from = self.expression()?;
            self.expect(",")?;
            let limit = self.expression()?;
            let step = if self.accept(",")? { Some(self.expression()?) } else { None };
            self.expect("do")?;
            self.declare(4)?;
            let block = self.body_of_loop("for", line)?;
            self.undeclare(4);
            return Ok(Kind::Count { name: first, from, limit, step, block });
        }
        if !self.is(",") && !self.is("in") {
            return Err(self.expected("'=' or 'in'"));
        }
        let mut names = vec![first];
        while self.accept(",")? {
            names.push(self.name()?);
        }
        self.expect("in")?;
        let values = self.expressions()?;
        self.expect("do")?;
        let count = names.len() + 3;
        self.declare(count)?;
        let block = self.body_of_loop("for", line)?;
        self.undeclare(count);
        Ok(Kind::Each { names, values, block })
    }

    fn undeclare(&mut self, count: usize) {
        if let Some(function) = self.functions.last_mut() {
            function.locals -= count.min(function.locals);
        }
    }

    fn function_statement(&mut self, line: u32) -> Result<Kind, LuaError> {
        self.advance()?;
        let name = self.name()?;
        let mut target = Expr::Name(name);
        let mut path = self.lossy(name);
        let mut is_method = false;
        let depth = self.depth;
        while !is_method && (self.is(".") || self.is(":")) {
            is_method = self.is(":");
            self.advance()?;
            let name = self.name()?;
            path = format!("{path}{}{}", if is_method { ":" } else { "." }, self.lossy(name));
            self.deeper()?;
            target = Expr::Index(Box::new(target), Box::new(self.text_of(name)));
        }
        self.depth = depth;
        let body = self.body(is_method, Some(path), line)?;
        self.statement = line;
        Ok(Kind::Assign { targets: vec![target], values: vec![Expr::Function(Box::new(body))] })
    }

    fn lossy(&self, name: Name) -> String {
        self.names
            .get(name as usize)
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .unwrap_or_default()
    }

    fn local_statement(&mut self) -> Result<Kind, LuaError> {
        let line = self.advance()?.line;
        if self.accept("function")? {
            let name = self.name()?;
            self.declare(1)?;
            let flat = self.lossy(name);
            let body = self.body(false, Some(flat), line)?;
            return Ok(Kind::LocalFunction { name, body: Box::new(body) });
        }
        let mut names = vec![self.name()?];
        while self.accept(",")? {
            names.push(self.name()?);
        }
        let values = if self.accept("=")? { self.expressions()? } else { Vec::new() };
        self.declare(names.len())?;
        Ok(Kind::Local { names, values })
    }

    /// A call, or an assignment.
    fn expression_statement(&mut self) -> Result<Kind, LuaError> {
        let first = self.suffixed()?;
        if !self.is("=") && !self.is(",") {
            if !matches!(inner(&first), Expr::Call(..) | Expr::Method(..)) {
                return Err(self.complain("syntax error"));
            }
            return Ok(Kind::Call(first));
        }
        let mut targets = vec![first];
        loop {
            if !matches!(inner(targets.last().unwrap_or(&Expr::Nil)), Expr::Name(_) | Expr::Index(..)) {
                return Err(self.complain("syntax error"));
            }
            if !self.accept(",")? {
                break;
            }
            if targets.len() + self.depth >= MAX_DEPTH {
                return Err(self.over(MAX_DEPTH, "C levels"));
            }
            targets.push(self.suffixed()?);
        }
        self.expect("=")?;
        let values = self.expressions()?;
        Ok(Kind::Assign { targets, values })
    }

    /// A function from its parameters on.
    pub(super) fn body(
        &mut self,
        is_method: bool,
        name: Option<String>,
        line: u32,
    ) -> Result<Body, LuaError> {
        let mut parameters = Vec::new();
        let mut is_vararg = false;
        if is_method {
            parameters.push(self.intern(b"self"));
        }
        self.expect("(")?;
        if !self.is(")") {
            loop {
                if self.now.token == Token::Name {
                    parameters.push(self.name()?);
                } else if self.accept("...")? {
                    is_vararg = true;
                } else {
                    return Err(self.complain("<name> or '...' expected"));
                }
                if is_vararg || !self.accept(",")? {
                    break;
                }
            }
        }
        self.functions.push(Function { line, is_vararg, locals: 0, loops: 0 });
        self.declare(parameters.len())?;
        self.expect(")")?;
        let statement = self.statement;
        let block = self.block()?;
        self.close("end", "function", line)?;
        self.statement = statement;
        self.functions.pop();
        Ok(Body { parameters, is_vararg, block, name, line })
    }
}

/// What an expression is, whatever its line.
fn inner(expr: &Expr) -> &Expr {
    match expr {
        Expr::At(_, expr) => inner(expr),
        other => other,
    }
}
