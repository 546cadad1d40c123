// What did a Redis answer, as bytes and as values?
using System.Globalization;
using System.Text;

namespace KeyEvt.Servers;

/// <summary>One reply or push, RESP2 or RESP3. Text is Latin-1: one character a byte.</summary>
/// <param name="Type">The type byte: + - : $ * _ # , ( ! = % ~ &gt; |</param>
/// <param name="Raw">The bytes as they came, whole.</param>
/// <param name="Bytes">The payload of a simple or bulk type; null for a null and for an aggregate.</param>
/// <param name="Items">The elements of an aggregate; of a map key, value, key, value.</param>
public sealed record Reply(char Type, byte[] Raw, byte[]? Bytes, IReadOnlyList<Reply> Items)
{
    public bool IsError => Type is '-' or '!';

    public bool IsNull => Bytes is null && (Type is '_' or '$' || (Type == '*' && Raw is [(byte)'*', (byte)'-', ..]));

    public string Text => Bytes is null ? throw new InvalidOperationException($"no text: {this}") : Encoding.Latin1.GetString(Bytes);

    public long Integer => long.Parse(Text, CultureInfo.InvariantCulture);

    public IReadOnlyList<string> Texts => [.. Items.Select(item => item.Text)];

    /// <summary>As on the wire, line breaks made visible.</summary>
    public override string ToString() => Encoding.Latin1.GetString(Raw).Replace("\r\n", "\\r\\n", StringComparison.Ordinal);
}
