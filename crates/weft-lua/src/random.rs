//! `math.random`: the generator that Luerl takes from Erlang's `rand`, xorshift1024* (`exs1024`), with Erlang's way from a
//! seed and to a range.

use num_bigint::BigInt;

use crate::number::{BinOp, MAX_BITS, Num, NumError, binary};

/// The generator's state: 16 words and the place in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    words: [u64; 16],
    place: u8,
}

impl Random {
    /// The generator `math.randomseed(n)` sets.
    pub fn seeded(seed: &Num) -> Result<Self, NumError> {
        let bits = seed.to_float()?.to_bits();
        Ok(Self::from_triple(bits >> 40, bits >> 16 & 0xff_ffff, bits & 0xffff))
    }

    fn from_triple(a: u64, b: u64, c: u64) -> Self {
        let part = |n: u64, factor: u64| (((n & 0x1f_ffff) + 1) * factor) & 0x1f_ffff;
        let seed = part(a, 2_097_131) << 43 | part(b, 2_097_133) << 22 | part(c, 2_097_143) << 1 | 1;
        let mut words = [0; 16];
        let mut state = seed;
        for word in words.iter_mut().rev() {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            *word = state.wrapping_mul(2_685_821_657_736_338_717);
        }
        Self { words, place: 0 }
    }

    /// The state as it stands in a snapshot: the words, and the place (below 16).
    #[must_use]
    pub const fn parts(&self) -> (&[u64; 16], u8) {
        (&self.words, self.place)
    }

    /// The generator of a snapshot's parts.
    #[must_use]
    pub const fn from_parts(words: [u64; 16], place: u8) -> Self {
        Self { words, place: place & 15 }
    }

    /// 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.next()
    }

    fn next(&mut self) -> u64 {
        let word = |words: &[u64; 16], place: u8| words.get(usize::from(place & 15)).copied().unwrap_or(0);
        let first = word(&self.words, self.place);
        self.place = (self.place + 1) & 15;
        let second = word(&self.words, self.place);
        let second = second ^ second << 31;
        let next = first ^ first >> 30 ^ second ^ second >> 11;
        if let Some(word) = self.words.get_mut(usize::from(self.place)) {
            *word = next;
        }
        next.wrapping_mul(1_181_783_497_276_652_981)
    }

    /// A float from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "Erlang divides the word as a float, too")]
    pub fn float(&mut self) -> f64 {
        self.next() as f64 / 18_446_744_073_709_551_616.0
    }

    /// An integer from `low` to `high`, which is not below it.
    pub fn between(&mut self, low: &Num, high: &Num) -> Result<Num, NumError> {
        let range = binary(BinOp::Add, &binary(BinOp::Sub, high, low)?, &Num::Int(1))?;
        let picked = self.up_to(&range)?;
        binary(BinOp::Sub, &binary(BinOp::Add, &picked, low)?, &Num::Int(1))
    }

    /// An integer from 1 to a bound of at least 1.
    pub fn up_to(&mut self, bound: &Num) -> Result<Num, NumError> {
        let bound = bound.to_big().filter(|bound| bound.bits() <= MAX_BITS && *bound >= BigInt::from(1));
        let bound = bound.ok_or(NumError::Arith)?;
        if let Ok(bound) = u64::try_from(&bound) {
            return Ok(Num::from_big(BigInt::from(self.next() % bound) + 1));
        }
        let scaled = self.float() * Num::from_big(bound).to_float()?;
        binary(BinOp::Add, &Num::from_float(scaled)?.trunc(), &Num::Int(1))
    }
}
