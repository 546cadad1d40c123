using System.Globalization;

namespace KeyEvt.Simulation.Redis;

/// <summary>Answers in RESP, as Latin-1 text.</summary>
internal static class RespText
{
    public const string Ok = "+OK\r\n";

    public const string Null = "_\r\n";

    public static string Bulk(string text) => string.Create(CultureInfo.InvariantCulture, $"${text.Length}\r\n{text}\r\n");

    public static string Number(long number) => string.Create(CultureInfo.InvariantCulture, $":{number}\r\n");

    public static string Error(string text) => $"-{text}\r\n";

    public static string Array(params ReadOnlySpan<string> items) => string.Create(CultureInfo.InvariantCulture, $"*{items.Length}\r\n") + string.Concat(items);

    /// <param name="pairs">Names and values in turn, each a whole reply.</param>
    public static string Map(params ReadOnlySpan<string> pairs) => string.Create(CultureInfo.InvariantCulture, $"%{pairs.Length / 2}\r\n") + string.Concat(pairs);
}
