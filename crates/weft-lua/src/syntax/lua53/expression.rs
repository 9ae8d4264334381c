//! The parser of Lua 5.3: expressions.

use super::parse::Parser;
use super::scan::Token;
use crate::error::LuaError;
use crate::number::lua53::Number;
use crate::number::{BinOp, Num, UnOp};
use crate::syntax::ast::{Expr, Field, Relation};

/// An operator of two sides.
#[derive(Clone, Copy)]
enum Infix {
    Arith(BinOp),
    Compare(Relation),
    Concat,
    And,
    Or,
}

/// How tightly an operator of one side binds.
const UNARY: u8 = 12;

/// An operator and how tightly it binds on each side.
fn infix(sign: &str) -> Option<(Infix, u8, u8)> {
    Some(match sign {
        "or" => (Infix::Or, 1, 1),
        "and" => (Infix::And, 2, 2),
        "<" => (Infix::Compare(Relation::Lt), 3, 3),
        ">" => (Infix::Compare(Relation::Gt), 3, 3),
        "<=" => (Infix::Compare(Relation::Le), 3, 3),
        ">=" => (Infix::Compare(Relation::Ge), 3, 3),
        "~=" => (Infix::Compare(Relation::Ne), 3, 3),
        "==" => (Infix::Compare(Relation::Eq), 3, 3),
        "|" => (Infix::Arith(BinOp::Bor), 4, 4),
        "~" => (Infix::Arith(BinOp::Bxor), 5, 5),
        "&" => (Infix::Arith(BinOp::Band), 6, 6),
        "<<" => (Infix::Arith(BinOp::Shl), 7, 7),
        ">>" => (Infix::Arith(BinOp::Shr), 7, 7),
        ".." => (Infix::Concat, 9, 8),
        "+" => (Infix::Arith(BinOp::Add), 10, 10),
        "-" => (Infix::Arith(BinOp::Sub), 10, 10),
        "*" => (Infix::Arith(BinOp::Mul), 11, 11),
        "/" => (Infix::Arith(BinOp::Div), 11, 11),
        "//" => (Infix::Arith(BinOp::IDiv), 11, 11),
        "%" => (Infix::Arith(BinOp::Mod), 11, 11),
        "^" => (Infix::Arith(BinOp::Pow), 14, 13),
        _ => return None,
    })
}

impl Parser<'_> {
    pub(super) fn expressions(&mut self) -> Result<Vec<Expr>, LuaError> {
        let mut list = vec![self.value()?];
        while self.accept(",")? {
            list.push(self.value()?);
        }
        Ok(list)
    }

    /// An expression where a list may stand: `and` and `or` have one value.
    fn value(&mut self) -> Result<Expr, LuaError> {
        Ok(match self.expression()? {
            choice @ (Expr::And(..) | Expr::Or(..)) => Expr::One(Box::new(choice)),
            Expr::At(line, expr) if matches!(*expr, Expr::And(..) | Expr::Or(..)) => {
                Expr::At(line, Box::new(Expr::One(expr)))
            }
            other => other,
        })
    }

    pub(super) fn expression(&mut self) -> Result<Expr, LuaError> {
        self.binary(0)
    }

    /// An expression on a line: noted where it is not its statement's.
    fn at(&self, line: u32, expr: Expr) -> Expr {
        if line == self.statement { expr } else { Expr::At(line, Box::new(expr)) }
    }

    fn binary(&mut self, least: u8) -> Result<Expr, LuaError> {
        let depth = self.depth;
        self.deeper()?;
        let mut left = self.unary()?;
        while let Token::Fixed(sign) = self.now.token {
            let Some((operator, binds, right)) = infix(sign) else { break };
            if binds <= least {
                break;
            }
            let line = self.advance()?.line;
            let other = self.binary(right)?;
            let joined = joined(operator, left, other);
            left = self.at(line, joined);
        }
        self.depth = depth;
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, LuaError> {
        let Token::Fixed(sign) = self.now.token else { return self.simple() };
        if !matches!(sign, "not" | "-" | "#" | "~") {
            return self.simple();
        }
        let line = self.advance()?.line;
        let operand = self.binary(UNARY)?;
        // PUC works constants out beforehand; it shows where a message names its line, and keeps -1 a constant.
        let expr = match (sign, operand) {
            ("-", Expr::Number(Num::Int(n))) => return Ok(Expr::Number(Num::Int(n.wrapping_neg()))),
            ("-", Expr::Number(Num::Float(f))) => return Ok(Expr::Number(Num::Float(-f))),
            ("not", operand) => Expr::Not(Box::new(operand)),
            ("#", operand) => Expr::Length(Box::new(operand)),
            ("-", operand) => Expr::Unary(UnOp::Neg, Box::new(operand)),
            (_, operand) => Expr::Unary(UnOp::Bnot, Box::new(operand)),
        };
        Ok(self.at(line, expr))
    }

    fn simple(&mut self) -> Result<Expr, LuaError> {
        match self.now.token {
            Token::Number => Ok(Expr::Number(match self.advance()?.number {
                Number::Int(n) => Num::Int(n),
                Number::Float(f) => Num::Float(f),
            })),
            Token::Text => Ok(Expr::Text(self.advance()?.bytes)),
            Token::Fixed("nil") => self.advance().map(|_| Expr::Nil),
            Token::Fixed("true") => self.advance().map(|_| Expr::Bool(true)),
            Token::Fixed("false") => self.advance().map(|_| Expr::Bool(false)),
            Token::Fixed("...") => {
                if self.functions.last().is_some_and(|function| !function.is_vararg) {
                    return Err(self.complain("cannot use '...' outside a vararg function"));
                }
                Ok(Expr::Varargs(self.advance()?.line))
            }
            Token::Fixed("{") => self.table(),
            Token::Fixed("function") => {
                let line = self.advance()?.line;
                Ok(Expr::Function(Box::new(self.body(false, None, line)?)))
            }
            _ => self.suffixed(),
        }
    }

    /// A name or an expression in parentheses, and what is done to it.
    pub(super) fn suffixed(&mut self) -> Result<Expr, LuaError> {
        let depth = self.depth;
        let line = self.now.line;
        let mut left = if self.accept("(")? {
            let inner = self.expression()?;
            self.close(")", "(", line)?;
            Expr::One(Box::new(inner))
        } else if self.now.token == Token::Name {
            Expr::Name(self.name()?)
        } else {
            return Err(self.complain("unexpected symbol"));
        };
        // A long chain nests: its bound is of the same kind as that of a long list of brackets.
        let mut links = 0usize;
        loop {
            let now = self.now.line;
            left = match self.now.token {
                Token::Fixed(".") => {
                    self.advance()?;
                    let name = self.name()?;
                    self.at(now, Expr::Index(Box::new(left), Box::new(self.text_of(name))))
                }
                Token::Fixed("[") => {
                    self.advance()?;
                    let key = self.expression()?;
                    self.expect("]")?;
                    self.at(now, Expr::Index(Box::new(left), Box::new(key)))
                }
                Token::Fixed(":") => {
                    self.advance()?;
                    let name = self.name()?;
                    let Some(args) = self.arguments()? else {
                        return Err(self.complain("function arguments expected"));
                    };
                    self.at(line, Expr::Method(Box::new(left), name, args))
                }
                _ => match self.arguments()? {
                    Some(args) => self.at(line, Expr::Call(Box::new(left), args)),
                    None => break,
                },
            };
            links += 1;
            if links > 400 {
                self.deeper()?;
            }
        }
        self.depth = depth;
        Ok(left)
    }

    fn arguments(&mut self) -> Result<Option<Vec<Expr>>, LuaError> {
        Ok(Some(match self.now.token {
            Token::Text => vec![Expr::Text(self.advance()?.bytes)],
            Token::Fixed("{") => vec![self.table()?],
            Token::Fixed("(") => {
                let line = self.advance()?.line;
                let args = if self.is(")") { Vec::new() } else { self.expressions()? };
                self.close(")", "(", line)?;
                args
            }
            _ => return Ok(None),
        }))
    }

    fn table(&mut self) -> Result<Expr, LuaError> {
        let line = self.advance()?.line;
        let mut fields = Vec::new();
        while !self.is("}") {
            fields.push(self.field()?);
            if !self.accept(",")? && !self.accept(";")? {
                break;
            }
        }
        self.close("}", "{", line)?;
        Ok(Expr::Table(fields))
    }

    fn field(&mut self) -> Result<Field, LuaError> {
        if self.accept("[")? {
            let key = self.expression()?;
            self.expect("]")?;
            self.expect("=")?;
            return Ok(Field::Keyed(key, self.expression()?));
        }
        if self.now.token == Token::Name && self.follows("=")? {
            let name = self.name()?;
            self.advance()?;
            return Ok(Field::Named(name, self.expression()?));
        }
        Ok(Field::Item(self.value()?))
    }
}

fn joined(operator: Infix, left: Expr, right: Expr) -> Expr {
    match operator {
        Infix::Arith(op) => match left {
            Expr::Binary(first, mut steps) => {
                steps.push((op, right));
                Expr::Binary(first, steps)
            }
            left => Expr::Binary(Box::new(left), vec![(op, right)]),
        },
        Infix::Compare(relation) => Expr::Compare(relation, Box::new(left), Box::new(right)),
        Infix::And => Expr::And(Box::new(left), Box::new(right)),
        Infix::Or => Expr::Or(Box::new(left), Box::new(right)),
        // It is read from the right: what follows is a list already, unless it stood in parentheses.
        Infix::Concat => match right {
            Expr::Concat(mut parts) => {
                parts.insert(0, left);
                Expr::Concat(parts)
            }
            right => Expr::Concat(vec![left, right]),
        },
    }
}
