//! Devices of HyperBEAM that have no place in a browser.

/// Their names, and why.
pub const ABSENT: [(&str, &str); 8] = [
    ("compute@1.0", "it is an older way to compute that `process@1.0` took the place of"),
    ("faff@1.0", "a tab takes no payment"),
    ("greenzone@1.0", "it joins a ring of machines that attest their hardware"),
    ("p4@1.0", "a tab takes no payment"),
    ("simple-pay@1.0", "a tab takes no payment"),
    ("snp@1.0", "it attests the hardware it runs on"),
    ("volume@1.0", "it encrypts the disks of a machine"),
    ("cacheviz@1.0", "it draws the files of a server's store"),
];

/// Why a device is not here, if that is known.
pub(super) fn reason(name: &str) -> Option<&'static str> {
    ABSENT.iter().find(|(absent, _)| *absent == name).map(|(_, reason)| *reason)
}
