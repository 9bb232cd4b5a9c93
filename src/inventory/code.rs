//! The codes of diagnostics: a number that stays the same, a usual severity and a title each.
//!
//! `OS00xx` syntax, `OS01xx` shape, `OS02xx` value, `OS03xx` reference, `OS04xx` uniqueness, `OS05xx` network, `OS06xx`
//! boot, `OS07xx` cloud-init, `OS08xx` policy.

use std::fmt;
use std::str::FromStr;

/// How bad it is. An inventory with an error is not loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is loaded.
    Error,
    /// Loaded, but probably not what was meant.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The word in the output, `error`, `warning` or `info`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

macro_rules! codes {
    ($($name:ident = $number:literal $severity:ident $title:literal;)+) => {
        /// What is wrong, as a code that can be searched for and explained.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each code has a title and a page in the explanations")]
        pub enum Code { $($name),+ }

        impl Code {
            /// Every code, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as it is printed, `OS0102`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $number),+ }
            }

            /// What the code says, in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }

            /// The severity of its diagnostics.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),+ }
            }
        }
    };
}

codes! {
    Syntax = "OS0001" Error "the file is not YAML";
    UnclosedQuote = "OS0002" Error "a quote is not closed";
    Tab = "OS0003" Error "a tab stands where a blank belongs";
    Indentation = "OS0004" Error "a line is indented wrongly";
    UnclosedBracket = "OS0005" Error "a bracket is not closed";
    NotUtf8 = "OS0006" Error "the file is not UTF-8";
    Unreadable = "OS0007" Error "a file cannot be read";
    SeveralDocuments = "OS0008" Error "the file holds several documents";
    TooLarge = "OS0009" Error "the file is too large or too deep";
    Tag = "OS0010" Error "a YAML tag is not supported";
    MissingColon = "OS0011" Error "a key has no colon";
    MergeConflict = "OS0012" Error "a merge conflict is not resolved";

    MissingFile = "OS0101" Error "a file is missing";
    UnknownField = "OS0102" Error "a field is unknown";
    WrongType = "OS0103" Error "a value has the wrong type";
    EmptyFile = "OS0104" Error "the file is empty";
    MissingField = "OS0105" Error "a field is missing";
    DuplicateKey = "OS0106" Error "a key is given twice";
    NoNodes = "OS0107" Error "there are no nodes";
    ComplexKey = "OS0108" Error "a key is not a text";
    AnsibleKey = "OS0109" Warning "an Ansible variable has no meaning here";
    StrayFile = "OS0110" Warning "a file is not part of the inventory";
    TextForList = "OS0111" Warning "a text stands where a list is meant";
    MovedKey = "OS0112" Warning "an Ansible variable belongs in another file";
    LinkOutside = "OS0113" Warning "a link leads out of the inventory";

    MacAddress = "OS0201" Error "not a MAC address";
    Xname = "OS0202" Error "not a node's xname";
    IpAddress = "OS0203" Error "not an IP address";
    Nid = "OS0204" Error "not a NID";
    HostName = "OS0205" Error "not a host name";
    GroupLabel = "OS0206" Error "not a group label";
    MulticastMac = "OS0207" Error "a multicast MAC address";
    LocalMac = "OS0208" Warning "a locally administered MAC address";
    Word = "OS0209" Error "not one of the allowed words";
    Subnet = "OS0210" Error "not a subnet";
    Number = "OS0211" Error "a number is out of its range";
    NoValue = "OS0212" Error "a field has no value";
    Pool = "OS0213" Error "not an address range";

    UnknownVariable = "OS0301" Error "a variable is not defined";
    VariableCycle = "OS0302" Error "a variable refers to itself";
    Lookup = "OS0303" Error "`lookup()` is not available";
    Expression = "OS0304" Error "an expression is not supported";
    UnknownNetwork = "OS0305" Warning "no such network is declared";
    UnusedProfile = "OS0306" Warning "a boot profile is for nothing in the inventory";
    UnusedEntry = "OS0307" Warning "a cloud-init entry is for nothing in the inventory";
    UnknownInstance = "OS0308" Error "a cloud-init instance is no node of the inventory";

    DuplicateXname = "OS0401" Error "two nodes have the same xname";
    DuplicateName = "OS0402" Error "two nodes have the same name";
    DuplicateNid = "OS0403" Error "two nodes have the same NID";
    DuplicateMac = "OS0404" Error "a MAC address is used twice";
    DuplicateIp = "OS0405" Error "an IP address is used twice";
    DuplicateEntry = "OS0406" Error "two cloud-init entries are for the same group or node";
    DuplicateNetwork = "OS0407" Error "two networks have the same name";
    BmcDisagreement = "OS0408" Error "nodes disagree about the BMC they share";
    AmbiguousName = "OS0409" Error "a node has the name of something else";
    DuplicateProfile = "OS0410" Error "two boot profiles are for the same group or node";

    OutsideSubnet = "OS0501" Error "an address is in no declared subnet";
    SubnetEdge = "OS0502" Error "an address is the network or broadcast address";
    RouterAddress = "OS0503" Error "an address is the router's";
    HeadAddress = "OS0504" Error "an address is the head node's";
    PoolAddress = "OS0505" Error "an address is in the dynamic pool";
    NetworkMember = "OS0506" Error "a router or pool is outside its subnet";
    OverlappingNetworks = "OS0507" Error "two subnets overlap";
    HeadOutside = "OS0508" Warning "the head node is in no declared subnet";
    DhcpOption = "OS0520" Error "not a DHCP option";
    DhcpName = "OS0521" Warning "DHCP options for nothing in the inventory";
    DhcpRoom = "OS0522" Warning "DHCP options do not fit into an answer";

    BootUrl = "OS0601" Error "a kernel or initrd is not a URL";
    ProfileConflict = "OS0602" Error "two groups of a node boot different things";
    NoProfile = "OS0603" Warning "nothing says what a group boots";
    NoKernel = "OS0604" Error "a boot profile has no kernel";
    BootParameters = "OS0605" Error "boot parameters cannot be one line";
    BootTemplate = "OS0606" Error "a boot script template is at fault";
    NoTemplate = "OS0607" Error "a boot profile names no template";
    MissingImage = "OS0608" Error "a file that nodes boot is not among the images";
    ImageVersions = "OS0609" Warning "kernel, initrd and root file system differ in version";

    UnknownModule = "OS0701" Warning "not a cloud-config module";
    Permissions = "OS0702" Error "`permissions` is not a text";
    Base64 = "OS0703" Error "the content is not base64";
    OpenSecret = "OS0704" Error "a secret in an open entry";
    SecretReference = "OS0705" Error "a reference to a secret is malformed";
    OldYaml = "OS0706" Warning "readers of YAML disagree about a value";
    Jinja = "OS0707" Error "a template has a syntax error";
    NoEntry = "OS0708" Warning "a group has no cloud-init entry";
    NoJson = "OS0709" Error "a value cannot be passed on";
    TwoForms = "OS0710" Error "a node is configured in two forms of cloud-init";
    NoHeader = "OS0711" Warning "cloud-init would ignore a group's file";
    BaseUrl = "OS0712" Error "a base URL of cloud-init is not a URL";
    SshKey = "OS0713" Warning "not an SSH public key";
    ReservedName = "OS0714" Error "an entry has the name of a path";
    DottedGroup = "OS0715" Warning "the name of a cloud-init group has a dot";
    UntoldField = "OS0716" Warning "no node is told a field of an instance";

    Limit = "OS0801" Error "a limit is out of its range";
    Policy = "OS0802" Error "not a policy";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no code of a diagnostic")]
pub struct UnknownCode(pub String);

impl FromStr for Code {
    type Err = UnknownCode;

    /// Reads a code in any case.
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let code = Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text.trim()));
        code.ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_read_back() {
        assert!(Code::ALL.is_sorted_by(|a, b| a.as_str() < b.as_str()));
        for code in Code::ALL {
            assert_eq!(code.as_str().to_lowercase().parse(), Ok(*code));
        }
        assert_eq!("OS9999".parse::<Code>(), Err(UnknownCode("OS9999".into())));
    }
}
