@testable import ErrorCatalogue
import Glibc
@testable import NetworkTypes
import Testing

@Suite struct ErrnoCatalogueTests {
    /// The errors in the ERRORS section of the manual page.
    static let manualPageNames = [
        "EBADF", "ENOTSOCK", "EADDRNOTAVAIL", "EAFNOSUPPORT", "EISCONN", "ETIMEDOUT", "EINVAL", "ECONNREFUSED",
        "EHOSTUNREACH", "EINTR", "ENETUNREACH", "EADDRINUSE", "EFAULT", "EINPROGRESS", "EALREADY", "EPERM", "ENOTDIR",
        "ENAMETOOLONG", "ENOENT", "EACCES", "ELOOP", "EPROTOTYPE",
    ]

    static let linuxNames = [
        "ECONNRESET", "ECONNABORTED", "EPIPE", "EHOSTDOWN", "ENONET", "ENOPROTOOPT", "EPROTO", "EOPNOTSUPP", "EAGAIN",
        "ESOCKTNOSUPPORT", "EPROTONOSUPPORT", "ENODEV", "ENETDOWN", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EIO",
    ]

    @Test(arguments: manualPageNames)
    func errorsOfTheManualPageAreInTheCatalogue(name: String) throws {
        let entry = try #require(ErrnoCatalogue.entry(named: name))
        #expect(entry.inManualPage)
        #expect(entry.errno != nil)
        #expect(entry.source == .kernel)
    }

    @Test func onlyErrorsOfTheManualPageAreMarkedAsSuch() {
        let claimed = ErrnoCatalogue.entries.filter(\.inManualPage).map(\.name)
        #expect(Set(claimed) == Set(Self.manualPageNames))
    }

    @Test(arguments: linuxNames)
    func otherErrorsOfLinuxAreInTheCatalogue(name: String) throws {
        let entry = try #require(ErrnoCatalogue.entry(named: name))
        #expect(!entry.inManualPage)
    }

    @Test(arguments: ErrnoCatalogue.entries.filter { $0.errno != nil })
    func numberNameAndMessageMatchTheCLibrary(entry: ErrorCatalogueEntry) throws {
        let number = try #require(entry.errno?.rawValue)
        #expect(entry.message == String(cString: strerror(number)))
        #expect(ErrnoCatalogue.entry(for: Errno(number)) == entry)
        #expect(Self.libraryName(of: number) == entry.name)
    }

    @Test(arguments: 1...Int32(133))
    func everyNumberOfLinuxHasTheNameFromTheCLibrary(number: Int32) {
        // Linux never assigned 41 and 58 to an error.
        #expect(ErrnoCatalogue.name(of: Errno(number)) == Self.libraryName(of: number) ?? "ERRNO_\(number)")
    }

    @Test func namesAndNumbersAreUnique() {
        let names = ErrnoCatalogue.entries.flatMap { [$0.name] + $0.aliases }
        #expect(Set(names).count == names.count)
        let numbers = ErrnoCatalogue.entries.compactMap(\.errno)
        #expect(Set(numbers).count == numbers.count)
    }

    @Test func namesAreFoundInAnyCaseAndByAlias() {
        #expect(ErrnoCatalogue.entry(named: "econnRefused")?.errno == Errno(ECONNREFUSED))
        #expect(ErrnoCatalogue.entry(named: "ewouldblock")?.name == "EAGAIN")
        #expect(ErrnoCatalogue.entry(named: "ENOTSUP")?.name == "EOPNOTSUPP")
        #expect(ErrnoCatalogue.entry(named: "deadline")?.errno == nil)
        #expect(ErrnoCatalogue.entry(named: "ENOSUCH") == nil)
        #expect(ErrnoCatalogue.entry(named: "") == nil)
    }

    @Test(arguments: [Int32.min, -1, 0, 41, 133, 134, 523, .max])
    func numbersOutsideTheTableHaveNoEntry(number: Int32) {
        #expect(ErrnoCatalogue.entry(for: Errno(number)) == nil)
    }

    @Test(arguments: OwnError.allCases)
    func ownErrorsHaveNoNumber(error: OwnError) {
        let entry = ErrnoCatalogue.entry(for: error)
        #expect(entry.name == error.rawValue)
        #expect(entry.errno == nil)
        #expect(ErrnoCatalogue.entry(named: error.rawValue) == entry)
    }

    @Test func kernelErrorsAreSortedByNumberAndOwnErrorsComeLast() {
        let numbers = ErrnoCatalogue.entries.compactMap { $0.errno?.rawValue }
        #expect(numbers == numbers.sorted())
        let own = OwnError.allCases.map(\.rawValue) + TLSFailure.allCases.map(\.rawValue)
        #expect(numbers.count == ErrnoCatalogue.entries.count - own.count)
        #expect(ErrnoCatalogue.entries.map(\.name).suffix(own.count) == own[...])
    }

    @Test(arguments: ErrnoCatalogue.entries)
    func textsAreWholeSentences(entry: ErrorCatalogueEntry) {
        #expect(entry.when.hasSuffix("."))
        #expect(entry.linux?.hasSuffix(".") ?? true)
        #expect(!entry.message.isEmpty && !entry.message.hasSuffix("."))
        for text in [entry.when, entry.linux ?? "", entry.hint] {
            #expect(!text.contains("\n") && !text.contains("  "))
        }
    }

    @Test(arguments: ErrnoCatalogue.entries.map(\.hint) + Hints.all)
    func hintsAreOneShortSentence(hint: String) {
        #expect(hint.hasSuffix("."))
        #expect(hint.utf8.count > 40 && hint.utf8.count < 200, "\(hint.utf8.count)")
        #expect(!hint.contains(". "), "more than one sentence")
        #expect(!hint.contains("\n") && !hint.contains("  "))
    }

    @Test func hintsAreUnique() {
        #expect(Set(Hints.all).count == Hints.all.count)
    }

    /// strerrorname_np(3), looked up at run time because Swift's Glibc module does not contain it.
    private static func libraryName(of number: Int32) -> String? {
        typealias NameFunction = @convention(c) (Int32) -> UnsafePointer<CChar>?
        guard let symbol = dlsym(nil, "strerrorname_np") else { return nil }
        // SAFETY: glibc declares `const char *strerrorname_np(int)` since 2.32.
        let nameOf = unsafeBitCast(symbol, to: NameFunction.self)
        return nameOf(number).map { String(cString: $0) }
    }
}
