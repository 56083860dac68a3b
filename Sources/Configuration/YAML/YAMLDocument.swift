/// Reads YAML files of connectd other than the configuration.
package enum YAMLDocument {
    /// Reads a file of at most 1 MiB.
    /// - Parameter file: the path; `-` is standard input.
    /// - Returns: the root; nil for an empty document.
    /// - Throws: all problems of syntax, with their positions; or why the file cannot be read.
    package static func read(file: String) throws(ConfigurationProblems) -> YAMLNode? {
        let bytes: [UInt8]
        do throws(ValueRefusal) {
            bytes = try BoundedFile(path: file == "-" ? "/dev/stdin" : file).bytes
        } catch {
            throw ConfigurationProblems([ConfigurationProblem(.file(name(of: file), nil), reason: error.reason)])
        }
        return try compose(bytes, file: name(of: file))
    }

    /// Composes the tree of one document.
    /// - Parameter file: the name in problems.
    package static func compose(_ bytes: [UInt8], file: String) throws(ConfigurationProblems) -> YAMLNode? {
        var composer = YAMLComposer(file: file)
        // A byte order mark, as some Windows editors write it.
        let root = composer.compose(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes)
        guard composer.problems.isEmpty else { throw ConfigurationProblems(composer.problems.map(withAdvice)) }
        return root
    }

    /// Within braces, libyaml takes `!connected}` for a broken tag.
    private static func withAdvice(_ problem: ConfigurationProblem) -> ConfigurationProblem {
        guard problem.reason.hasSuffix("while scanning a tag") else { return problem }
        return ConfigurationProblem(
            problem.source, path: problem.path,
            reason: "\(problem.reason): put a text that begins with ! in quotes")
    }

    /// The name of a file in problems.
    package static func name(of file: String) -> String { file == "-" ? "standard input" : file }
}
