//! What kind of machine a program is for, by its header: PE (UEFI) and ELF.

/// What a loader is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// UEFI on x86 with 32 bits.
    Ia32,
    /// UEFI on x86 with 64 bits.
    X64,
    /// UEFI on ARM with 32 bits.
    Arm32,
    /// UEFI on ARM with 64 bits.
    Arm64,
    /// Neither PE nor ELF: what a BIOS loads has no header that would tell more.
    Plain,
}

impl Machine {
    /// The words for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ia32 => "UEFI on 32-bit x86",
            Self::X64 => "UEFI on 64-bit x86",
            Self::Arm32 => "UEFI on 32-bit ARM",
            Self::Arm64 => "UEFI on 64-bit ARM",
            Self::Plain => "BIOS",
        }
    }

    /// What the name of a build promises: those of [`super::names::BUILDS`].
    #[must_use]
    pub fn promised(name: &str) -> Self {
        match name {
            _ if !name.ends_with(".efi") => Self::Plain,
            _ if name.contains("arm64") => Self::Arm64,
            _ if name.contains("arm32") => Self::Arm32,
            _ if name.contains("i386") => Self::Ia32,
            _ => Self::X64,
        }
    }

    /// What a program is for, by its first bytes; the error says what it is instead of a loader.
    ///
    /// # Errors
    ///
    /// A few words: an ELF program, a cut file, a machine that no loader here is for.
    pub fn of(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.is_empty() {
            return Err("it is empty");
        }
        if bytes.starts_with(b"\x7fELF") {
            return Err("it is an ELF program, which no firmware loads");
        }
        if !bytes.starts_with(b"MZ") {
            return Ok(Self::Plain);
        }
        // The offset of the PE header stands at 0x3c; its machine follows the signature.
        let number = |at: usize| bytes.get(at..at.checked_add(2)?).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let header = usize::from(number(0x3c).ok_or("it is cut short")?);
        if bytes.get(header..header + 4) != Some(b"PE\0\0") {
            return Err("it has no PE header");
        }
        match number(header + 4) {
            Some(0x014c) => Ok(Self::Ia32),
            Some(0x8664) => Ok(Self::X64),
            Some(0x01c0 | 0x01c2 | 0x01c4) => Ok(Self::Arm32),
            Some(0xaa64) => Ok(Self::Arm64),
            Some(_) => Err("it is for a kind of machine that is not known here"),
            None => Err("it is cut short"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pe(machine: u16) -> Vec<u8> {
        let mut bytes = vec![0; 0x86];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3c] = 0x80;
        bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
        bytes[0x84..].copy_from_slice(&machine.to_le_bytes());
        bytes
    }

    #[test]
    fn programs_are_known_by_their_headers() {
        for (machine, expected) in
            [(0x014c, Machine::Ia32), (0x8664, Machine::X64), (0x01c2, Machine::Arm32), (0xaa64, Machine::Arm64)]
        {
            assert_eq!(Machine::of(&pe(machine)), Ok(expected));
        }
        assert_eq!(Machine::of(b"\xea\x05\x00\xc0\x07"), Ok(Machine::Plain));
    }

    #[test]
    fn what_is_no_loader_is_told_and_nothing_of_it_is_a_panic() {
        assert!(Machine::of(b"").unwrap_err().contains("empty"));
        assert!(Machine::of(b"\x7fELF\x02").unwrap_err().contains("ELF"));
        assert!(Machine::of(&pe(0x5064)).unwrap_err().contains("not known"));
        let whole = pe(0x8664);
        for length in 2..whole.len() {
            assert!(Machine::of(&whole[..length]).is_err(), "{length}");
        }
        let mut far = whole;
        far[0x3c..0x3e].copy_from_slice(&[0xff, 0xff]);
        assert!(Machine::of(&far).is_err());
    }

    #[test]
    fn names_promise_a_machine() {
        for (name, machine) in [
            ("undionly.kpxe", Machine::Plain),
            ("ipxe-i386.efi", Machine::Ia32),
            ("ipxe-x86_64.efi", Machine::X64),
            ("snponly.efi", Machine::X64),
            ("ipxe-arm32.efi", Machine::Arm32),
            ("snponly-arm64.efi", Machine::Arm64),
        ] {
            assert_eq!(Machine::promised(name), machine, "{name}");
        }
    }
}
