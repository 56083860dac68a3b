import CAres
import CMicrohttpd
import COpenSSL

/// The program's version, and those of the libraries that it runs with.
enum Version {
    static let number = "0.1.0"

    static var text: String {
        let openSSL = OpenSSL_version(OPENSSL_VERSION_STRING).map { String(cString: $0) } ?? "?"
        let microhttpd = MHD_get_version().map { String(cString: $0) } ?? "?"
        let ares = ares_version(nil).map { String(cString: $0) } ?? "?"
        return "connectd \(number) (libmicrohttpd \(microhttpd), OpenSSL \(openSSL), c-ares \(ares))"
    }
}
