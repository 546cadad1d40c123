using System.Security.Cryptography;
using System.Text;
using KeyEvt.Proxy.Options;

namespace KeyEvt.Proxy.Admin;

/// <summary>Does a request show the token of --admin-token-file? Read at the start, and again at SIGHUP. Compared in a time that tells nothing of it, not even its length.</summary>
internal sealed class AdminToken(string path, string first)
{
    private const string Scheme = "Bearer ";

    private volatile byte[] _hash = Hash(first);

    /// <param name="authorization">The header's value; empty: there is none.</param>
    public bool IsIn(string authorization) =>
        authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && CryptographicOperations.FixedTimeEquals(Hash(authorization[Scheme.Length..].Trim(' ')), _hash);

    /// <summary>Why the file cannot be used, and the token stays what it was; null: it is what the file holds now.</summary>
    public string? Reload()
    {
        var faults = new List<string>();
        if (new OptionInput("--admin-token-file", [path], faults).SecretFromFile() is not { } token) return string.Join("; ", faults);
        _hash = Hash(token);
        return null;
    }

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
