//! The path and the query of a request.

use percent_encoding::percent_decode_str;

/// No path we serve has more segments.
const MAX_SEGMENTS: usize = 8;
/// No query we serve has more parameters.
const MAX_PARAMETERS: usize = 64;
/// No URL we serve is longer.
const MAX_URL: usize = 16 * 1024;

/// A parsed request target: decoded path segments and query parameters in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    /// Non-empty path segments, percent-decoded.
    pub(super) segments: Vec<String>,
    /// Query parameters, decoded; a parameter without `=` has an empty value.
    pub(super) query: Vec<(String, String)>,
}

impl Target {
    /// Reads path and query of an absolute URL or of an origin-form target. Scheme, host and fragment are
    /// dropped. `None` if it is longer than anything served here.
    #[must_use]
    pub(super) fn parse(url: &str) -> Option<Self> {
        if url.len() > MAX_URL {
            return None;
        }
        let rest = match url.split_once("://") {
            Some((_, rest)) => rest.find(['/', '?', '#']).map_or("", |at| &rest[at..]),
            None => url,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .take(MAX_SEGMENTS + 1)
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .take(MAX_PARAMETERS + 1)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        (segments.len() <= MAX_SEGMENTS && query.len() <= MAX_PARAMETERS).then_some(Self { segments, query })
    }

    /// The first parameter of that name. aoconnect writes absent values as the text `undefined`.
    #[must_use]
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.present(name).filter(|value| *value != "undefined")
    }

    /// The first parameter of that name, whatever its value.
    #[must_use]
    pub(super) fn present(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The segments as text slices, for matching.
    #[must_use]
    pub(super) fn path(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// The target without its first segment.
    #[must_use]
    pub(super) fn below(&self) -> Self {
        Self { segments: self.segments.get(1..).unwrap_or_default().to_vec(), query: self.query.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_scheme_host_and_fragment() {
        let target = Target::parse("http://127.0.0.1:8734/su/abc?process-id=p&limit=2#x").unwrap();
        assert_eq!(target.path(), ["su", "abc"]);
        assert_eq!(target.get("process-id"), Some("p"));
        assert_eq!(target.get("limit"), Some("2"));
        assert_eq!(Target::parse("/su/abc?process-id=p&limit=2").unwrap(), target);
    }

    #[test]
    fn a_host_without_a_path_is_the_root() {
        assert_eq!(
            Target::parse("http://h?a=b%20c&d+e").unwrap().query,
            [("a".to_owned(), "b c".to_owned()), ("d e".to_owned(), String::new())]
        );
        assert_eq!(Target::parse("http://h").unwrap(), Target::default());
    }

    #[test]
    fn undefined_is_absent_but_present_sees_it() {
        let target = Target::parse("/x?limit=undefined&base-layer").unwrap();
        assert_eq!(target.get("limit"), None);
        assert_eq!(target.present("limit"), Some("undefined"));
        assert_eq!(target.present("base-layer"), Some(""));
    }

    #[test]
    fn percent_and_lossy_utf8_never_fail() {
        let target = Target::parse("/a%2Fb/%ff/%zz").unwrap();
        assert_eq!(target.path(), ["a/b", "\u{fffd}", "%zz"]);
    }

    #[test]
    fn refuses_what_is_too_long() {
        assert!(Target::parse(&"/a".repeat(9)).is_none());
        assert!(Target::parse(&"x".repeat(20_000)).is_none());
        assert!(Target::parse(&format!("/?{}", "a=b&".repeat(65))).is_none());
    }
}
