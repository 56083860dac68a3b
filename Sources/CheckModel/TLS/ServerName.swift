/// The rules of `tls.server_name`: those of a target's host.
public enum ServerName {
    /// Why a text is no name or address that a certificate could be for, in one sentence; nil where it is one.
    public static func flaw(in text: String) -> String? {
        do throws(TargetError) {
            guard case .address(.v6(let address)) = try Host(member: text), address.zone != nil else { return nil }
            return "A server name has no zone: no certificate has one."
        } catch {
            return error.detail
        }
    }
}
