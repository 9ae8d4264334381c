//! The parser, for Luerl's grammar.

mod expression;

use std::collections::BTreeMap;

use super::ast::{Block, Body, Expr, Field, Kind, Name, Program, Relation, Statement};
use super::refused;
use super::scan::{Scanned, Scanner, Token};
use crate::error::{ErrorKind, LuaError, Term};
use crate::number::{BinOp, UnOp};

/// How deep syntax may nest. Luerl has no bound; ours keeps the machine's own stack.
const MAX_DEPTH: usize = 400;

/// Parses a chunk.
pub(crate) fn parse(text: &[u8]) -> Result<Program, LuaError> {
    let mut scanner = Scanner::new(text);
    let now = scanner.next(1)?;
    let mut parser = Parser {
        scanner,
        now,
        last: 1,
        names: Vec::new(),
        known: BTreeMap::new(),
        depth: 0,
        blocks: 0,
        has_labels: false,
    };
    let block = parser.block()?;
    if parser.now.token != Token::End {
        return Err(parser.unexpected());
    }
    // The text is read to its end before anything of it is parsed; what is wrong there was found on the way.
    let body = Body { parameters: Vec::new(), is_vararg: true, block, name: None, line: 0 };
    Ok(Program { names: parser.names, body, blocks: parser.blocks, has_labels: parser.has_labels })
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    now: Scanned,
    /// The line of the token before.
    last: u32,
    names: Vec<Box<[u8]>>,
    known: BTreeMap<Box<[u8]>, Name>,
    depth: usize,
    blocks: usize,
    has_labels: bool,
}

/// An operator of two sides and how tightly it binds on each.
enum Infix {
    Arith(BinOp),
    Compare(Relation),
    Concat,
    And,
    Or,
}

const UNARY: u8 = 110;
/// Luerl's grammar gives the `~` of one side the rank of the `~` of two.
const UNARY_TILDE: u8 = 51;

fn infix(sign: &str) -> Option<(Infix, u8, u8)> {
    Some(match sign {
        "or" => (Infix::Or, 10, 11),
        "and" => (Infix::And, 20, 21),
        "<" => (Infix::Compare(Relation::Lt), 30, 31),
        ">" => (Infix::Compare(Relation::Gt), 30, 31),
        "<=" => (Infix::Compare(Relation::Le), 30, 31),
        ">=" => (Infix::Compare(Relation::Ge), 30, 31),
        "~=" => (Infix::Compare(Relation::Ne), 30, 31),
        "==" => (Infix::Compare(Relation::Eq), 30, 31),
        "|" => (Infix::Arith(BinOp::Bor), 40, 41),
        "~" => (Infix::Arith(BinOp::Bxor), 50, 51),
        "&" => (Infix::Arith(BinOp::Band), 60, 61),
        "<<" => (Infix::Arith(BinOp::Shl), 70, 71),
        ">>" => (Infix::Arith(BinOp::Shr), 70, 71),
        ".." => (Infix::Concat, 80, 80),
        "+" => (Infix::Arith(BinOp::Add), 90, 91),
        "-" => (Infix::Arith(BinOp::Sub), 90, 91),
        "*" => (Infix::Arith(BinOp::Mul), 100, 101),
        "/" => (Infix::Arith(BinOp::Div), 100, 101),
        "//" => (Infix::Arith(BinOp::IDiv), 100, 101),
        "%" => (Infix::Arith(BinOp::Mod), 100, 101),
        "^" => (Infix::Arith(BinOp::Pow), 120, 120),
        _ => return None,
    })
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Scanned, LuaError> {
        self.last = self.now.line;
        let next = self.scanner.next(self.last)?;
        Ok(std::mem::replace(&mut self.now, next))
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.now.token, Token::Fixed(now) if now == sign)
    }

    fn accept(&mut self, sign: &str) -> Result<bool, LuaError> {
        let there = self.is(sign);
        if there {
            self.advance()?;
        }
        Ok(there)
    }

    fn expect(&mut self, sign: &str) -> Result<u32, LuaError> {
        if self.is(sign) { Ok(self.advance()?.line) } else { Err(self.unexpected()) }
    }

    fn name(&mut self) -> Result<Name, LuaError> {
        if self.now.token != Token::Name {
            return Err(self.unexpected());
        }
        let bytes = self.advance()?.bytes;
        if let Some(name) = self.known.get(&bytes) {
            return Ok(*name);
        }
        let name = Name::try_from(self.names.len()).unwrap_or(Name::MAX);
        self.names.push(bytes.clone());
        self.known.insert(bytes, name);
        Ok(name)
    }

    fn text_of(&self, name: Name) -> Expr {
        Expr::Text(self.names.get(name as usize).cloned().unwrap_or_default())
    }

    /// `syntax error before: …`, with what comes later in the text checked first, as Luerl scans all of it beforehand.
    #[cold]
    fn unexpected(&mut self) -> LuaError {
        let before = before(&self.now);
        let what = Term::List(vec![Term::Text("syntax error before: ".to_owned()), before]);
        let error = refused(vec![(self.now.line, "luerl_parse", what)]);
        self.or_scan(error)
    }

    #[cold]
    fn complain(&mut self, line: u32, what: &str) -> LuaError {
        let error = refused(vec![(line, "luerl_parse", Term::Text(what.to_owned()))]);
        self.or_scan(error)
    }

    /// The error, unless the rest of the text has one of the scanner, which comes before any of the parser's.
    fn or_scan(&mut self, error: LuaError) -> LuaError {
        loop {
            match self.scanner.next(self.last) {
                Ok(scanned) if scanned.token == Token::End => return error,
                Ok(_) => {}
                Err(scan) => return scan,
            }
        }
    }

    fn deeper(&mut self) -> Result<(), LuaError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let error = LuaError::limit(ErrorKind::Unsupported, "The program nests too deep.");
            return Err(self.or_scan(error));
        }
        Ok(())
    }

    /// Whether a block ends here.
    fn ends_block(&self) -> bool {
        match self.now.token {
            Token::End => true,
            Token::Fixed(sign) => matches!(sign, "end" | "else" | "elseif" | "until"),
            _ => false,
        }
    }

    fn block(&mut self) -> Result<Block, LuaError> {
        self.deeper()?;
        let id = self.new_block();
        let mut statements = Vec::new();
        while !self.ends_block() {
            let line = self.now.line;
            if self.is("return") {
                self.advance()?;
                let values = if self.ends_block() || self.is(";") { Vec::new() } else { self.expressions()? };
                self.accept(";")?;
                statements.push(Statement { line, kind: Kind::Return(values) });
                break;
            }
            if let Some(statement) = self.statement()? {
                statements.push(statement);
            }
        }
        self.depth -= 1;
        Ok(Block { id, statements })
    }

    fn new_block(&mut self) -> usize {
        self.blocks += 1;
        self.blocks - 1
    }

    fn closed_block(&mut self) -> Result<Block, LuaError> {
        let block = self.block()?;
        self.expect("end")?;
        Ok(block)
    }

    fn statement(&mut self) -> Result<Option<Statement>, LuaError> {
        let line = self.now.line;
        let Token::Fixed(sign) = self.now.token else { return self.expression_statement().map(Some) };
        let kind = match sign {
            ";" => {
                self.advance()?;
                return Ok(None);
            }
            "::" => {
                self.advance()?;
                self.name()?;
                self.expect("::")?;
                self.has_labels = true;
                return Ok(None);
            }
            "goto" => {
                self.advance()?;
                self.name()?;
                self.has_labels = true;
                return Ok(None);
            }
            "break" => {
                self.advance()?;
                Kind::Break
            }
            "do" => {
                self.advance()?;
                Kind::Block(self.closed_block()?)
            }
            "while" => {
                self.advance()?;
                let condition = self.expression()?;
                self.expect("do")?;
                Kind::While { condition, block: self.closed_block()? }
            }
            "repeat" => {
                self.advance()?;
                let block = self.block()?;
                self.expect("until")?;
                Kind::Repeat { block, until: self.expression()? }
            }
            "if" => self.if_statement()?,
            "for" => self.for_statement()?,
            "function" => self.function_statement()?,
            "local" => self.local_statement()?,
            _ => return self.expression_statement().map(Some),
        };
        Ok(Some(Statement { line, kind }))
    }

    fn if_statement(&mut self) -> Result<Kind, LuaError> {
        let mut tests = Vec::new();
        loop {
            self.advance()?;
            let condition = self.expression()?;
            self.expect("then")?;
            tests.push((condition, self.block()?));
            if !self.is("elseif") {
                break;
            }
        }
        let otherwise = if self.accept("else")? {
            self.block()?
        } else {
            Block { id: self.new_block(), statements: Vec::new() }
        };
        self.expect("end")?;
        Ok(Kind::If { tests, otherwise })
    }

    fn for_statement(&mut self) -> Result<Kind, LuaError> {
        let line = self.advance()?.line;
        let first = self.name()?;
        if self.accept("=")? {
            let values = self.expressions()?;
            self.expect("do")?;
            let block = self.closed_block()?;
            let count = values.len();
            let mut values = values.into_iter();
            return match (values.next(), values.next(), values.next()) {
                (Some(from), Some(limit), step) if count <= 3 => {
                    Ok(Kind::Count { name: first, from, limit, step, block })
                }
                _ => Err(self.complain(line, "illegal for")),
            };
        }
        let mut names = vec![first];
        while self.accept(",")? {
            names.push(self.name()?);
        }
        self.expect("in")?;
        let values = self.expressions()?;
        self.expect("do")?;
        Ok(Kind::Each { names, values, block: self.closed_block()? })
    }

    fn function_statement(&mut self) -> Result<Kind, LuaError> {
        self.advance()?;
        let name = self.name()?;
        let mut target = Expr::Name(name);
        let mut path = vec![name];
        let mut is_method = false;
        while !is_method && (self.is(".") || self.is(":")) {
            is_method = self.is(":");
            self.advance()?;
            let name = self.name()?;
            path.push(name);
            if path.len() > MAX_DEPTH {
                return Err(LuaError::limit(ErrorKind::Unsupported, "The program nests too deep."));
            }
            target = Expr::Index(Box::new(target), Box::new(self.text_of(name)));
        }
        let flat: Vec<_> = path.iter().map(|name| self.lossy(*name)).collect();
        let body = self.body(is_method, Some(flat.join(".")))?;
        Ok(Kind::Assign { targets: vec![target], values: vec![Expr::Function(Box::new(body))] })
    }

    fn lossy(&self, name: Name) -> String {
        self.names
            .get(name as usize)
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .unwrap_or_default()
    }

    fn local_statement(&mut self) -> Result<Kind, LuaError> {
        self.advance()?;
        if self.is("function") {
            self.advance()?;
            let name = self.name()?;
            let flat = self.lossy(name);
            return Ok(Kind::LocalFunction { name, body: Box::new(self.body(false, Some(flat))?) });
        }
        let mut names = vec![self.name()?];
        while self.accept(",")? {
            names.push(self.name()?);
        }
        let values = if self.accept("=")? { self.expressions()? } else { Vec::new() };
        Ok(Kind::Local { names, values })
    }

    /// A call, or an assignment.
    fn expression_statement(&mut self) -> Result<Statement, LuaError> {
        let line = self.now.line;
        let (first, last_line) = self.prefix()?;
        if is_variable(&first) && (self.is("=") || self.is(",")) {
            let mut targets = vec![first];
            while self.accept(",")? {
                let (target, _) = self.prefix()?;
                if !is_variable(&target) {
                    return Err(self.unexpected());
                }
                targets.push(target);
            }
            let line = self.expect("=")?;
            let values = self.expressions()?;
            return Ok(Statement { line, kind: Kind::Assign { targets, values } });
        }
        if !self.begins_statement() && !self.ends_block() {
            return Err(self.unexpected());
        }
        if !matches!(first, Expr::Call(..) | Expr::Method(..)) {
            return Err(self.complain(last_line, "illegal call"));
        }
        Ok(Statement { line, kind: Kind::Call(first) })
    }

    fn begins_statement(&self) -> bool {
        match self.now.token {
            Token::Name => true,
            Token::Fixed(sign) => matches!(
                sign,
                ";" | "("
                    | "::"
                    | "break"
                    | "goto"
                    | "do"
                    | "while"
                    | "repeat"
                    | "if"
                    | "for"
                    | "function"
                    | "local"
                    | "return"
            ),
            _ => false,
        }
    }

    fn body(&mut self, is_method: bool, name: Option<String>) -> Result<Body, LuaError> {
        let mut parameters = Vec::new();
        let mut is_vararg = false;
        if is_method {
            parameters.push(self.intern(b"self"));
        }
        self.expect("(")?;
        if !self.is(")") {
            loop {
                if self.accept("...")? {
                    is_vararg = true;
                    break;
                }
                parameters.push(self.name()?);
                if !self.accept(",")? {
                    break;
                }
            }
        }
        self.expect(")")?;
        Ok(Body { parameters, is_vararg, block: self.closed_block()?, name, line: 0 })
    }

    fn intern(&mut self, bytes: &[u8]) -> Name {
        if let Some(name) = self.known.get(bytes) {
            return *name;
        }
        let name = Name::try_from(self.names.len()).unwrap_or(Name::MAX);
        self.names.push(bytes.into());
        self.known.insert(bytes.into(), name);
        name
    }
}

fn is_variable(expression: &Expr) -> bool {
    matches!(expression, Expr::Name(_) | Expr::Index(..))
}

fn joined(operator: &Infix, left: Expr, right: Expr) -> Expr {
    match operator {
        Infix::Arith(op) => match left {
            Expr::Binary(first, mut steps) => {
                steps.push((*op, right));
                Expr::Binary(first, steps)
            }
            left => Expr::Binary(Box::new(left), vec![(*op, right)]),
        },
        Infix::Compare(relation) => Expr::Compare(*relation, Box::new(left), Box::new(right)),
        Infix::And => Expr::And(Box::new(left), Box::new(right)),
        Infix::Or => Expr::Or(Box::new(left), Box::new(right)),
        Infix::Concat => Expr::Concat(vec![left, right]),
    }
}

/// A token as the parser's complaint names it.
fn before(scanned: &Scanned) -> Term {
    let number = |n: u8| Term::Value(crate::value::Value::Int(i64::from(n)));
    match scanned.token {
        Token::End => Term::List(Vec::new()),
        Token::Fixed(sign) if sign.starts_with(|c: char| c.is_ascii_lowercase()) => {
            let quoted = matches!(sign, "and" | "or" | "not" | "end" | "if");
            Term::Text(if quoted { format!("'{sign}'") } else { sign.to_owned() })
        }
        Token::Fixed(sign) => Term::Text(format!("'{sign}'")),
        Token::Number => Term::List(vec![Term::Text(scanned.number.to_string())]),
        // The way Erlang's printer nests what it prints.
        Token::Name | Token::Text if scanned.bytes.is_empty() => {
            Term::List(vec![Term::Text("<<>>".to_owned())])
        }
        Token::Name | Token::Text => {
            let text = format!("\"{}\"", String::from_utf8_lossy(&scanned.bytes));
            Term::List(vec![Term::List(vec![
                number(b'<'),
                number(b'<'),
                Term::Text(text),
                number(b'>'),
                number(b'>'),
            ])])
        }
    }
}
