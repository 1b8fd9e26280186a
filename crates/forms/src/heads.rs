//! What the first bytes of a form may be.

use crate::class::Class;
use crate::shape::{First, Op, Way};
use crate::tree::SEPARATORS;

/// More of a form's first bytes are of no use.
const FIRST: usize = 6;

/// What makes a name a form.
pub(crate) const SIGNS: [u8; 3] = *b":=>";

pub(crate) fn is_before_sign(op: &Op) -> bool {
    match op {
        Op::Literal(literal) => !literal.iter().any(|byte| SIGNS.contains(byte)),
        Op::Run(class, least, _) => *least == 0 || !class.bytes().all(|byte| SIGNS.contains(&byte)),
        Op::Block(..) => false,
    }
}

/// The most bytes between a name and a sign that must follow. None if there need be no sign.
pub(crate) fn sign_distance(way: &Way) -> Option<usize> {
    let mut distance = 0;
    for op in &way.ops {
        match op {
            Op::Literal(literal) => {
                let sign = literal.iter().position(|byte| SIGNS.contains(byte));
                if let Some(sign) = sign {
                    return Some(distance + sign);
                }
                distance += literal.len();
            }
            Op::Run(class, least, _) if *least > 0 && class.bytes().all(|b| SIGNS.contains(&b)) => {
                return Some(distance);
            }
            Op::Run(_, _, most) => distance += usize::from(*most),
            Op::Block(..) => return None,
        }
    }
    None
}

/// The alphabets of the first bytes of a way that begins with a run.
pub(crate) fn first_classes(way: &Way) -> Vec<Class> {
    let mut classes = Vec::new();
    for op in &way.ops {
        let Op::Run(class, least, most) = op else {
            break;
        };
        classes.extend((0..*least).map(|_| *class));
        if least != most {
            break;
        }
    }
    classes
}

/// What each of the first bytes may be, as far as their places are fixed; a name has several spellings.
pub(crate) fn heads(way: &Way) -> Vec<Vec<Vec<u8>>> {
    let mut spellings = match &way.first {
        First::Exactly(literal) => vec![literal.iter().map(|byte| vec![*byte]).collect()],
        First::Name(name) => name_heads(name),
        First::Run => vec![Vec::new()],
    };
    for heads in &mut spellings {
        // Of what follows the fixed places, whatever may stand in the first.
        let mut next = Vec::new();
        for op in &way.ops {
            if heads.len() >= FIRST {
                break;
            }
            match op {
                Op::Literal(literal) if next.is_empty() => {
                    heads.extend(literal.iter().map(|byte| vec![*byte]));
                }
                Op::Run(class, least, most) if next.is_empty() && least == most => {
                    heads.extend((0..*least).map(|_| class.bytes().collect::<Vec<u8>>()));
                }
                Op::Run(class, least, _) => {
                    if next.is_empty() {
                        heads.extend((0..*least).map(|_| class.bytes().collect::<Vec<u8>>()));
                    }
                    next.extend(class.bytes());
                    if *least > 0 {
                        break;
                    }
                }
                Op::Literal(literal) => {
                    next.extend(literal.first());
                    break;
                }
                Op::Block(..) => break,
            }
        }
        if !next.is_empty() {
            next.sort_unstable();
            next.dedup();
            heads.push(next);
        }
        heads.truncate(FIRST);
    }
    spellings
}

/// The spellings of a name: with a separator between the first words, or none.
fn name_heads(name: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut spellings: Vec<Vec<Vec<u8>>> = vec![Vec::new()];
    for &byte in name {
        if byte != b' ' {
            let both = vec![byte, byte.to_ascii_uppercase()];
            spellings
                .iter_mut()
                .for_each(|heads| heads.push(both.clone()));
        } else if spellings.iter().all(|heads| heads.len() < FIRST) {
            let joined = spellings.clone();
            spellings
                .iter_mut()
                .for_each(|heads| heads.push(SEPARATORS.to_vec()));
            spellings.extend(joined);
        } else {
            break;
        }
    }
    spellings
}
