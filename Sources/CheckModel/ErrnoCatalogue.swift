internal import Glibc

/// Every error that has a name here, in one table: the kernel's and our own.
///
/// It serves `/v1/errors` and the results of checks alike. A number that is not in it is still reported, by
/// `Classifier`, as `unclassified`. All texts are made once, at first use: look-ups allocate nothing.
public enum ErrnoCatalogue {
    /// In a stable order: the kernel's errors by their numbers, then our own.
    public static let entries: [ErrorCatalogueEntry] =
        (manualPageEntries + linuxEntries).sorted { number(of: $0) < number(of: $1) } + ownEntries

    private static func number(of entry: ErrorCatalogueEntry) -> Int32 { entry.errno?.rawValue ?? .max }

    /// The entry of a kernel error, or nil for a number that the table does not have.
    public static func entry(for errno: Errno) -> ErrorCatalogueEntry? {
        let number = Int(errno.rawValue)
        guard indexByNumber.indices.contains(number) else { return nil }
        let index = Int(indexByNumber[number])
        return index < 0 ? nil : entries[index]
    }

    /// The entry with that name or alias, in upper or lower case; nil if there is none.
    public static func entry(named name: some StringProtocol) -> ErrorCatalogueEntry? {
        indexByName[name.uppercased()].map { entries[$0] }
    }

    /// Every entry that a user may mean: by number, outcome (`refused`), name or alias in any case, or message.
    ///
    /// An outcome is also the name of another entry in one case: `refused` is ECONNREFUSED first, then REFUSED of DNS.
    public static func entries(matching text: String) -> [ErrorCatalogueEntry] {
        if let number = Int32(text) { return [entry(for: Errno(number))].compactMap { $0 } }
        let isExactName = entry(named: text).map { $0.name == text || $0.aliases.contains(text) } ?? false
        let ofClass = entries.filter { $0.errorClass.rawValue == text.lowercased() }
        let named = [entry(named: text)].compactMap { $0 }
        let matches = isExactName ? named + ofClass : ofClass + named
        if matches.isEmpty { return entries.filter { $0.message.lowercased() == text.lowercased() } }
        var names: Set<String> = []
        return matches.filter { names.insert($0.name).inserted }
    }

    /// The position in `entries` of the entry with exactly that name; nil if there is none.
    public static func index(named name: String) -> Int? {
        indexByName[name]
    }

    /// Position in `entries` by errno(3); -1 for a number without an entry.
    private static let indexByNumber: [Int16] = {
        let numbers = entries.compactMap { $0.errno.map { Int($0.rawValue) } }
        var indices = [Int16](repeating: -1, count: (numbers.max() ?? 0) + 1)
        for (index, entry) in entries.enumerated() {
            if let errno = entry.errno { indices[Int(errno.rawValue)] = Int16(index) }
        }
        return indices
    }()

    private static let indexByName: [String: Int] = {
        var indices: [String: Int] = [:]
        for (index, entry) in entries.enumerated() {
            for name in [entry.name] + entry.aliases { indices[name] = index }
        }
        return indices
    }()

    /// What strerror(3) says about a number; it never fails, and knows "Unknown error 523" for the rest.
    public static func message(of errno: Errno) -> String { message(of: errno.rawValue) }

    static func message(of number: Int32) -> String {
        strerror(number).map { String(cString: $0) } ?? "Unknown error \(number)"
    }
}
