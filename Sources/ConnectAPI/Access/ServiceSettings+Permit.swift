internal import CheckEngine
internal import CheckModel

extension ServiceSettings {
    /// Lets a check go on that uses nothing but what the configuration has, and lends to requests.
    /// - Throws: 400 for names that it does not have, 403 for what it does not lend, each with its pointer.
    func permit(_ request: CheckRequest) throws(Problem) {
        let unknown = RequestPermissions.unknownNames(in: request, of: surroundings.tls)
        guard unknown.isEmpty else { throw Problem(wrongInput: unknown) }
        let refusals = permissions.refusals(of: request, md5Keys: surroundings.md5Keys.keys)
        guard refusals.isEmpty else {
            throw Problem(.denied, "the policy of this prober does not allow this option", errors: refusals)
        }
    }
}
