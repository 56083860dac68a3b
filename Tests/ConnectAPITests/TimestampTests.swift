@testable import ConnectAPI
import Testing

/// RFC 3339, in UTC, with milliseconds.
@Suite struct TimestampTests {
    private static let second: Int64 = 1_000_000_000

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_399, "2000-02-28T23:59:59.000Z"),
        (951_782_400, "2000-02-29T00:00:00.000Z"),
        (951_868_800, "2000-03-01T00:00:00.000Z"),
        (1_709_164_800, "2024-02-29T00:00:00.000Z"),
        (1_735_689_599, "2024-12-31T23:59:59.000Z"),
        (1_767_225_600, "2026-01-01T00:00:00.000Z"),
        (2_147_483_647, "2038-01-19T03:14:07.000Z"),
        (2_147_483_648, "2038-01-19T03:14:08.000Z"),
        (4_107_542_399, "2100-02-28T23:59:59.000Z"),
        (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        (9_223_372_036, "2262-04-11T23:47:16.000Z"),
        (-1, "1969-12-31T23:59:59.000Z"),
        (-86_400, "1969-12-31T00:00:00.000Z"),
        (-62_135_596, "1968-01-12T20:06:44.000Z"),
        (-2_203_977_600, "1900-02-28T00:00:00.000Z"),
        (-2_203_891_200, "1900-03-01T00:00:00.000Z"),
    ])
    func `whole seconds`(seconds: Int64, text: String) {
        #expect(Timestamp.text(nanosecondsSince1970: seconds * Self.second) == text)
    }

    @Test(arguments: [
        (1, "1970-01-01T00:00:00.000Z"), (999_999, "1970-01-01T00:00:00.000Z"), (1_000_000, "1970-01-01T00:00:00.001Z"),
        (999_999_999, "1970-01-01T00:00:00.999Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (-1_000_001, "1969-12-31T23:59:59.998Z"), (Int64.max, "2262-04-11T23:47:16.854Z"),
        (Int64.min, "1677-09-21T00:12:43.145Z"),
    ])
    func `fractions are truncated, never rounded up`(nanoseconds: Int64, text: String) {
        #expect(Timestamp.text(nanosecondsSince1970: nanoseconds) == text)
    }

    @Test func `each day of four centuries follows the previous day`() {
        var (year, month, day) = (1800, 1, 1)
        // 1800-01-01 to 2199-12-31.
        for number in Int64(-62_091)..<84_006 {
            let text = Timestamp.text(nanosecondsSince1970: number * 86_400 * Self.second)
            guard text == "\(year)-\(twoDigits(month))-\(twoDigits(day))T00:00:00.000Z" else {
                Issue.record("\(text) instead of \(year)-\(month)-\(day)")
                return
            }
            day += 1
            if day > days(in: month, of: year) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect(year == 2200)
    }

    private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private func days(in month: Int, of year: Int) -> Int {
        let isLeap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }
}
