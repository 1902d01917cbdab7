//! Bytes as they may come out of a pipe: cut anywhere.

/// The bytes in pieces, which ones `way` decides: 0 is one byte each.
pub fn pieces(bytes: &[u8], way: u8) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut chance = u32::from(way);
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        chance = chance.wrapping_mul(1_664_525).wrapping_add(u32::from(way));
        let size = match way {
            0 => 1,
            // Short pieces are as likely as long ones.
            _ => 1 + ((chance >> 16) as usize & (0x3f >> (chance >> 8 & 7))),
        };
        let (piece, others) = rest.split_at(size.min(rest.len()));
        pieces.push(piece);
        rest = others;
    }
    pieces
}
