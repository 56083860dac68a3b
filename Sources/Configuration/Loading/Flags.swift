/// What the command line says; it outranks everything else.
package struct Flags: Sendable {
    /// `--listen`, each as it was written; empty where the flag was not given.
    package var listen: [String]
    /// `--allow-anonymous`.
    package var allowAnonymous: Bool

    package init(listen: [String] = [], allowAnonymous: Bool = false) {
        self.listen = listen
        self.allowAnonymous = allowAnonymous
    }
}
