/// Keeps web pages of other sites out: loopback is no proof of identity, a browser reaches it too.
///
/// Fetch Metadata (W3C) and Origin (RFC 6454) are headers that a page cannot set by itself, and that programs do not send.
package enum BrowserRule {
    /// Whether the request may go on.
    /// - Parameters:
    ///   - site: the value of Sec-Fetch-Site.
    ///   - origin: the value of Origin.
    ///   - host: the value of Host, with which an origin of our own pages agrees.
    ///   - isHTTPS: whether it came over TLS: our own pages did, too. Without it a proxy may have spoken TLS for us.
    package static func accepts(site: String?, origin: String?, host: String?, isHTTPS: Bool) -> Bool {
        if let site, site != "same-origin", site != "none" { return false }
        guard let origin else { return true }
        guard let host else { return false }
        return origin.lowercased() == "https://" + host.lowercased()
            || !isHTTPS && origin.lowercased() == "http://" + host.lowercased()
    }
}
