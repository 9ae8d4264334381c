//! Expressions.

use super::*;

impl Parser<'_> {
    pub(super) fn expressions(&mut self) -> Result<Vec<Expr>, LuaError> {
        let mut list = vec![self.expression()?];
        while self.accept(",")? {
            list.push(self.expression()?);
        }
        Ok(list)
    }

    pub(super) fn expression(&mut self) -> Result<Expr, LuaError> {
        self.binary(0)
    }

    pub(super) fn binary(&mut self, least: u8) -> Result<Expr, LuaError> {
        let depth = self.depth;
        self.deeper()?;
        let mut left = self.unary()?;
        while let Token::Fixed(sign) = self.now.token {
            let Some((operator, binds, right)) = infix(sign) else { break };
            if binds < least {
                break;
            }
            self.advance()?;
            if matches!(operator, Infix::Concat) {
                left = self.concatenation(left)?;
                continue;
            }
            if !matches!(operator, Infix::Arith(_)) {
                // A chain to the left nests as well.
                self.deeper()?;
            }
            let other = self.binary(right)?;
            left = joined(&operator, left, other);
        }
        self.depth = depth;
        Ok(left)
    }

    pub(super) fn concatenation(&mut self, first: Expr) -> Result<Expr, LuaError> {
        let mut parts = vec![first, self.binary(81)?];
        while self.accept("..")? {
            parts.push(self.binary(81)?);
        }
        Ok(Expr::Concat(parts))
    }

    pub(super) fn unary(&mut self) -> Result<Expr, LuaError> {
        let Token::Fixed(sign) = self.now.token else { return self.simple() };
        if !matches!(sign, "not" | "-" | "#" | "~") {
            return self.simple();
        }
        self.advance()?;
        let operand = Box::new(self.binary(if sign == "~" { UNARY_TILDE } else { UNARY })?);
        Ok(match sign {
            "not" => Expr::Not(operand),
            "#" => Expr::Length(operand),
            "-" => Expr::Unary(UnOp::Neg, operand),
            _ => Expr::Unary(UnOp::Bnot, operand),
        })
    }

    pub(super) fn simple(&mut self) -> Result<Expr, LuaError> {
        match self.now.token {
            Token::Number => Ok(Expr::Number(self.advance()?.number)),
            Token::Text => Ok(Expr::Text(self.advance()?.bytes)),
            Token::Fixed("nil") => self.advance().map(|_| Expr::Nil),
            Token::Fixed("true") => self.advance().map(|_| Expr::Bool(true)),
            Token::Fixed("false") => self.advance().map(|_| Expr::Bool(false)),
            Token::Fixed("...") => Ok(Expr::Varargs(self.advance()?.line)),
            Token::Fixed("{") => self.table(),
            Token::Fixed("function") => {
                self.advance()?;
                Ok(Expr::Function(Box::new(self.body(false, None)?)))
            }
            _ => self.prefix().map(|(expression, _)| expression),
        }
    }

    /// A name or an expression in parentheses, and what is done to it; with the line of its last part.
    pub(super) fn prefix(&mut self) -> Result<(Expr, u32), LuaError> {
        let depth = self.depth;
        self.deeper()?;
        let mut line = self.now.line;
        let mut left = if self.accept("(")? {
            let inner = self.expression()?;
            self.expect(")")?;
            Expr::One(Box::new(inner))
        } else {
            Expr::Name(self.name()?)
        };
        loop {
            match self.now.token {
                Token::Fixed(".") => {
                    self.advance()?;
                    line = self.now.line;
                    let name = self.name()?;
                    left = Expr::Index(Box::new(left), Box::new(self.text_of(name)));
                }
                Token::Fixed("[") => {
                    line = self.advance()?.line;
                    let key = self.expression()?;
                    self.expect("]")?;
                    left = Expr::Index(Box::new(left), Box::new(key));
                }
                Token::Fixed(":") => {
                    self.advance()?;
                    let name = self.name()?;
                    let Some(args) = self.arguments()? else { return Err(self.unexpected()) };
                    left = Expr::Method(Box::new(left), name, args);
                }
                _ => match self.arguments()? {
                    Some(args) => left = Expr::Call(Box::new(left), args),
                    None => break,
                },
            }
            self.deeper()?;
        }
        self.depth = depth;
        Ok((left, line))
    }

    pub(super) fn arguments(&mut self) -> Result<Option<Vec<Expr>>, LuaError> {
        Ok(Some(match self.now.token {
            Token::Text => vec![Expr::Text(self.advance()?.bytes)],
            Token::Fixed("{") => vec![self.table()?],
            Token::Fixed("(") => {
                self.advance()?;
                let args = if self.is(")") { Vec::new() } else { self.expressions()? };
                self.expect(")")?;
                args
            }
            _ => return Ok(None),
        }))
    }

    pub(super) fn table(&mut self) -> Result<Expr, LuaError> {
        self.advance()?;
        let mut fields = Vec::new();
        while !self.is("}") {
            fields.push(self.field()?);
            if !self.accept(",")? && !self.accept(";")? {
                break;
            }
        }
        self.expect("}")?;
        Ok(Expr::Table(fields))
    }

    pub(super) fn field(&mut self) -> Result<Field, LuaError> {
        if self.accept("[")? {
            let key = self.expression()?;
            self.expect("]")?;
            self.expect("=")?;
            return Ok(Field::Keyed(key, self.expression()?));
        }
        let item = self.expression()?;
        match item {
            Expr::Name(name) if self.is("=") => {
                self.advance()?;
                Ok(Field::Named(name, self.expression()?))
            }
            item => Ok(Field::Item(item)),
        }
    }
}
