/// The file that `modules_file` names: modules in the format of blackbox_exporter.
package struct ModulesFile: Sendable {
    /// By their names.
    package private(set) var modules: [String: ProbeModule] = [:]
    /// The modules of probers that connectd does not have: the prober by the module's name.
    package private(set) var skipped: [String: String] = [:]
    /// One line each.
    private(set) var warnings: [String] = []
    private(set) var problems: [ConfigurationProblem] = []

    /// Whether there is no file, and the modules are those that are built in.
    package private(set) var isBuiltIn = false

    /// No file: the modules that are built in.
    package init() {
        isBuiltIn = true
        for module in ProbeModule.builtIn { modules[module.name] = module }
    }

    init(_ reference: FileReference) {
        do throws(ValueRefusal) {
            read(try BoundedFile(path: reference.path).bytes, of: reference.path)
        } catch {
            problems.append(reference.problem(error))
        }
    }

    private mutating func read(_ bytes: [UInt8], of name: String) {
        var composer = YAMLComposer(file: name, dialect: .go)
        let root = composer.compose(bytes)
        problems += composer.problems
        warnings += composer.warnings
        guard let root else {
            // Half a file, as one that is being written is often empty, must not replace modules that run.
            if problems.isEmpty {
                problems.append(
                    ConfigurationProblem(.file(name, nil), reason: "is empty; for no modules write \"modules: {}\""))
            }
            return
        }
        var reader = ModulesReader(file: name)
        reader.read(root)
        modules = reader.modules
        skipped = reader.skipped
        problems += reader.document.writer.problems
        warnings += reader.warnings
        guard !skipped.isEmpty else { return }
        let list = skipped.sorted { $0.key < $1.key }.map { "\(Quote.plain($0.key)) (\($0.value))" }
        warnings.append(
            "\(Quote.plain(name)): modules of probers that connectd does not have are left out: "
                + list.joined(separator: ", "))
    }
}
