//! Threes of bytes that tell of a form.

/// So many neighbours among the first bytes of each form are looked for.
pub(crate) const KNOWN: usize = 4;
/// How far into a form they may stand.
pub(crate) const DEEPEST: usize = 2;
/// No form that begins before the last so many bytes of a text is overlooked.
pub(crate) const LAST: usize = DEEPEST + KNOWN - 1;

/// Threes of bytes, of which five bits each count: both cases of a letter are one.
pub(crate) const THREES: usize = 1 << 15;

/// For each three a bit `n` if a form may begin `n` bytes before it.
pub(crate) type Threes = Box<[u8; THREES]>;

/// In the table: one of the first two may be a sign. No form is found that far from its beginning.
pub(crate) const SIGN: u8 = 1 << 7;

/// Chooses the bytes to look for and marks their threes.
pub(crate) fn mark(table: &mut Threes, heads: &[Vec<u8>]) {
    let deepest = heads.len().saturating_sub(KNOWN).min(DEEPEST);
    let cost = |at: &usize| cost(heads, *at) + cost(heads, *at + 1);
    let at = (0..=deepest).min_by_key(cost).unwrap_or(0);
    for at in [at, at + 1] {
        set(table, heads, at, 1 << at);
    }
}

pub(crate) fn set(table: &mut Threes, heads: &[Vec<u8>], at: usize, bits: u8) {
    for three in threes(heads, at) {
        if let Some(entry) = table.get_mut(index(three)) {
            *entry |= bits;
        }
    }
}

/// The first place at or after `from`, of every second, with a three that the table knows.
#[inline]
pub(crate) fn next_three(table: &Threes, bytes: &[u8], from: usize) -> Option<(usize, u8)> {
    let (first, rest) = bytes.get(from..)?.split_first()?;
    let (mut at, mut last) = (from, *first);
    let (eights, _) = rest.as_chunks::<8>();
    for eight in eights {
        let fives = u64::from(last & 31) << 40 | fives(*eight);
        let known = |shift: u32| {
            table
                .get((fives >> shift) as usize & (THREES - 1))
                .is_some_and(|b| *b != 0)
        };
        if known(30) | known(20) | known(10) | known(0) {
            break;
        }
        #[cfg(test)]
        crate::cost::add(4);
        (at, last) = (at + 8, eight[7]);
    }
    for &[a, b] in bytes.get(at + 1..)?.as_chunks::<2>().0 {
        #[cfg(test)]
        crate::cost::add(1);
        let back = table.get(index([last, a, b])).copied().unwrap_or(0);
        if back != 0 {
            return Some((at, back));
        }
        (at, last) = (at + 2, b);
    }
    None
}

/// Five bits of each of eight bytes, the first highest.
#[inline]
const fn fives(eight: [u8; 8]) -> u64 {
    let each = u64::from_be_bytes(eight) & 0x1F1F_1F1F_1F1F_1F1F;
    let two = each >> 3 & 0x03E0_03E0_03E0_03E0 | each & 0x001F_001F_001F_001F;
    let four = two >> 6 & 0x000F_FC00_000F_FC00 | two & 0x0000_03FF_0000_03FF;
    four >> 12 & 0xFF_FFF0_0000 | four & 0xF_FFFF
}

/// Where a form may begin that has a three at `at`, in order.
pub(crate) fn starts(at: usize, back: u8) -> impl Iterator<Item = usize> {
    let distances = (0..=DEEPEST + 1)
        .rev()
        .filter(move |distance| back >> distance & 1 == 1);
    distances.filter_map(move |distance| at.checked_sub(distance))
}

#[inline]
pub(crate) const fn index([a, b, c]: [u8; 3]) -> usize {
    (a as usize & 31) << 10 | (b as usize & 31) << 5 | (c as usize & 31)
}

fn threes(heads: &[Vec<u8>], at: usize) -> impl Iterator<Item = [u8; 3]> + '_ {
    let of = |at| heads.get(at).map(Vec::as_slice).unwrap_or_default();
    let (first, second, third) = (of(at), of(at + 1), of(at + 2));
    let pairs = first
        .iter()
        .flat_map(move |a| second.iter().map(move |b| (*a, *b)));
    pairs.flat_map(move |(a, b)| third.iter().map(move |c| [a, b, *c]))
}

/// How often the threes at a place stand in text, roughly, so that a form is looked for by what is rare in it.
fn cost(heads: &[Vec<u8>], at: usize) -> u32 {
    let of = |at| heads.get(at).map_or(0, Vec::len);
    if of(at) * of(at + 1) * of(at + 2) > 1_000 {
        return 1 << 20;
    }
    threes(heads, at)
        .map(|[a, b, c]| 1 + commonness(a, b) * commonness(b, c))
        .sum()
}

/// The commonest pairs of English letters, in their order.
const COMMON: &[u8] = b"th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co \
me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns ss ot il lo no ut wh ho pe ac un ad et po ly ov wi em \
ge ow ai us sh wa ke pa mo so tr pr sp ee rs ts ie na di tu ";

fn commonness(a: u8, b: u8) -> u32 {
    let letters = a.is_ascii_lowercase() && b.is_ascii_lowercase();
    if letters {
        let place = COMMON.chunks_exact(3).position(|pair| pair == [a, b, b' ']);
        place.map_or(6, |place| 120 - u32::try_from(place).unwrap_or(100))
    } else if a == b' ' || b == b' ' {
        60
    } else {
        1 + 5 * u32::from(a.is_ascii_digit() && b.is_ascii_digit())
    }
}
