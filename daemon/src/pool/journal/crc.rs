//! CRC-32 as in zlib and Ethernet, eight bytes at a time.

/// Reflected polynomial.
const POLYNOMIAL: u32 = 0xedb8_8320;

static TABLES: [[u32; 256]; 8] = tables();

/// Goes on with a checksum, which begins as 0.
pub(super) fn crc32(checksum: u32, bytes: &[u8]) -> u32 {
    let mut crc = !checksum;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word) ^ u64::from(crc);
        crc = (0..8).fold(0, |crc, at| {
            let byte = (word >> (8 * at)) & 0xff;
            crc ^ TABLES[7 - at][byte as usize]
        });
    }
    for byte in rest {
        crc = (crc >> 8) ^ TABLES[0][((crc ^ u32::from(*byte)) & 0xff) as usize];
    }
    !crc
}

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ POLYNOMIAL
            } else {
                crc >> 1
            };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut at = 1;
    while at < 8 {
        let mut byte = 0;
        while byte < 256 {
            let crc = tables[at - 1][byte];
            tables[at][byte] = (crc >> 8) ^ tables[0][(crc & 0xff) as usize];
            byte += 1;
        }
        at += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_sums() {
        let rows: [(&[u8], u32); 4] = [
            (b"", 0),
            (b"a", 0xe8b7_be43),
            (b"123456789", 0xcbf4_3926),
            (b"The quick brown fox jumps over the lazy dog", 0x414f_a339),
        ];
        for (bytes, sum) in rows {
            assert_eq!(crc32(0, bytes), sum, "{bytes:?}");
            let (head, tail) = bytes.split_at(bytes.len() / 2);
            assert_eq!(crc32(crc32(0, head), tail), sum, "{bytes:?} in two");
        }
    }
}
