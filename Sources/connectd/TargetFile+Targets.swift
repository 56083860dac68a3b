import ArgumentParser
import CheckModel

extension TargetFile {
    /// What was named on the command line, then what a file lists.
    /// - Throws: wrong usage, where there is none at all or the file cannot be read.
    static func entries(named: [String], file: String?) throws -> [Entry] {
        let listed = try file.map { try entries(in: $0) } ?? []
        let all = named.map { Entry(text: $0, place: nil) } + listed
        if all.isEmpty { throw ValidationError("no target: name one, or a file of them with --file") }
        return all
    }
}

extension TargetFile.Entry {
    /// The target that is written there.
    func target() throws -> Target {
        do throws(TargetError) {
            return try Target(parsing: text)
        } catch {
            throw refusal(error.detail)
        }
    }

    /// Wrong usage, with the place where it stands.
    func refusal(_ detail: String) -> ValidationError {
        ValidationError("\(place.map { "\($0): " } ?? "")target \"\(text)\": \(detail)")
    }
}
