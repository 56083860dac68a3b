/// A file that the configuration names, with the key that names it.
struct FileReference {
    /// As open(2) takes it: absolute, or relative to the working directory.
    let path: String
    let source: ConfigurationProblem.Source
    let key: String

    /// The trouble with the file as a whole, reported at the key.
    func problem(_ refusal: ValueRefusal) -> ConfigurationProblem {
        ConfigurationProblem(source, path: key, reason: "the file \(Quote.file(path)) \(refusal.reason)")
    }
}
