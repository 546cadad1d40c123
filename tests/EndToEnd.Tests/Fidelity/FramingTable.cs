// What does the server ignore, what does it refuse, and with which words?
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Fidelity;

/// <summary>
/// The same on Redis 7.0, Redis 8.0, Valkey 8.1 and Valkey 9.1, and <see cref="FramingTests"/> asks the server itself for every row. Where servers differ
/// (they look at what follows a CR and a body, or do not), KeyEvt refuses: see <see cref="Loose"/>.
/// </summary>
internal static class FramingTable
{
    private const string Count = "invalid multibulk length";
    private const string Length = "invalid bulk length";
    private const string Quotes = "unbalanced quotes in request";

    /// <summary>What stands for no request and gets no answer.</summary>
    public static TheoryData<string> Ignored { get; } =
    [
        "*0\r\n",
        "*-1\r\n",
        "*-2\r\n",
        "*-10\r\n",
        "*-2147483649\r\n",
        "*-999999999999999999\r\n",
        "*-9223372036854775808\r\n",
        "\r\n",
        "\n",
        " \t\v\f\r\r\n",
        "*-5\r\n\r\n*0\r\n*-3\r\n",
    ];

    /// <summary>Requests that end the connection, and the words behind "Protocol error: ".</summary>
    public static TheoryData<string, string> Refused { get; } = new()
    {
        // counts
        { "*\r\n", Count },
        { "*-\r\n", Count },
        { "*-0\r\n", Count },
        { "*-00\r\n", Count },
        { "*-01\r\n", Count },
        { "*--1\r\n", Count },
        { "*- 1\r\n", Count },
        { "*-1 \r\n", Count },
        { "*-1a\r\n", Count },
        { "*-9223372036854775809\r\n", Count },
        { "*-99999999999999999999\r\n", Count },
        { "*00\r\n", Count },
        { "*01\r\n$4\r\nPING\r\n", Count },
        { "*+0\r\n", Count },
        { "*+1\r\n$4\r\nPING\r\n", Count },
        { "* 0\r\n", Count },
        { "* 1\r\n$4\r\nPING\r\n", Count },
        { "*0 \r\n", Count },
        { "*1 \r\n$4\r\nPING\r\n", Count },
        { "*1x\r\n$4\r\nPING\r\n", Count },
        { "*x\r\n", Count },
        { "*0\n\r\n", Count },
        { "*1\n$4\r\nPING\r\n", Count },
        { "*2147483648\r\n", Count },
        { "*9223372036854775807\r\n", Count },
        { "*9223372036854775808\r\n", Count },
        { "*99999999999999999999\r\n", Count },
        { "*1048577\r\n*1\r\n", "expected '$', got '*'" },
        { "*2147483647\r\n*1\r\n", "expected '$', got '*'" },

        // lengths
        { "*1\r\n$\r\n", Length },
        { "*1\r\n$-\r\n", Length },
        { "*1\r\n$-0\r\n", Length },
        { "*1\r\n$-1\r\n", Length },
        { "*1\r\n$-10\r\n", Length },
        { "*1\r\n$--1\r\n", Length },
        { "*1\r\n$00\r\n\r\n", Length },
        { "*1\r\n$04\r\nPING\r\n", Length },
        { "*1\r\n$+4\r\nPING\r\n", Length },
        { "*1\r\n$ 4\r\nPING\r\n", Length },
        { "*1\r\n$4 \r\nPING\r\n", Length },
        { "*1\r\n$4\nPING\r\n", Length },
        { "*1\r\n$x\r\n", Length },
        { "*1\r\n$536870913\r\n", Length },
        { "*1\r\n$999999999999\r\n", Length },
        { "*1\r\n$9223372036854775808\r\n", Length },
        { "*1\r\n$99999999999999999999\r\n", Length },
        { "*1\r\nXPING\r\n", "expected '$', got 'X'" },
        { "*1\r\n\r\n$4\r\nPING\r\n", "expected '$', got ' '" },
        { "*2\r\n$4\r\nECHO\r\n*1\r\n", "expected '$', got '*'" },

        // inline lines
        { "ECHO \"unbalanced\r\n", Quotes },
        { "ECHO 'unbalanced\r\n", Quotes },
        { "ECHO a\"unbalanced\r\n", Quotes },
        { "ECHO \"a\nb\"\n", Quotes },
        { "ECHO \"a\\\r\n", Quotes },
        { "\"ECHO a\r\n", Quotes },
        { "'\r\n", Quotes },
    };

    /// <summary>Some servers take these; whoever takes them may see other commands than whoever does not.</summary>
    public static TheoryData<string> Loose { get; } =
    [
        "*0\rX",
        "*-5\rX",
        "*1\rX$4\rXPING\rX",
        "*1\r\n$4\rXPING\r\n",
        "*2\r\n$4\r\nECHO\r\n$1\r\naXX",
        "*1\r\n$4\r\nPING\n\n",
        "*1\r\n$4\r\nPING\rX",
        "*1\r\n$0\r\nXX",
        "*0\0\r\n",
        "*1\r\n$4\0\r\nPING\r\n",
        "ECHO a\0b\r\n",
    ];
}
