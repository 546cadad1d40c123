using System.Security.Cryptography;
using System.Text;

namespace KeyEvt.Forwarder.Group;

/// <summary>
/// Is a message really from a member of the group? With a secret each message ends with <c>seal=</c> and an HMAC-SHA-256 (RFC 2104) over its text and
/// the node's run id, so that it is good in one stream only.
/// </summary>
/// <remarks>Without a secret all messages are taken; whoever may publish on the channel can then disturb the group. Thread safe.</remarks>
/// <param name="secret">Null: none.</param>
internal sealed class MessageSeal(byte[]? secret)
{
    private const string Name = " seal=";

    public string Close(string text, ulong runId) => secret is null ? text : text + Name + Of(text, runId, secret);

    /// <returns>The text without its seal; null if the seal is missing or wrong.</returns>
    public string? TryOpen(string sealedText, ulong runId)
    {
        var at = sealedText.LastIndexOf(Name, StringComparison.Ordinal);
        if (secret is null) return at < 0 ? sealedText : sealedText[..at];
        if (at < 0) return null;

        var text = sealedText[..at];
        var given = Encoding.ASCII.GetBytes(sealedText[(at + Name.Length)..]);
        return CryptographicOperations.FixedTimeEquals(given, Encoding.ASCII.GetBytes(Of(text, runId, secret))) ? text : null;
    }

    private static string Of(string text, ulong runId, byte[] key) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(FormattableString.Invariant($"{runId:x16} {text}"))));
}
