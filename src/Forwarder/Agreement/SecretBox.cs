using System.Security.Cryptography;
using System.Text;
using KeyEvt.Forwarder.Files;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>How does a password stand in the configuration of a group? Encrypted with AES-256-GCM (NIST SP 800-38D), by a key that is made of the group's secret (HKDF, RFC 5869).</summary>
/// <remarks>The group's name is authenticated with it, so that it cannot be moved to another group. Text form: base64 of nonce, ciphertext and tag. Thread safe.</remarks>
internal sealed class SecretBox(Secret secret, string group)
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly byte[] _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret.Value), 32, info: "keyevt group configuration"u8.ToArray());
    private readonly byte[] _group = Encoding.UTF8.GetBytes(group);

    public string Close(Secret password)
    {
        var plain = Encoding.UTF8.GetBytes(password.Value);
        var box = new byte[NonceBytes + plain.Length + TagBytes];
        var nonce = box.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key, TagBytes);
        aes.Encrypt(nonce, plain, box.AsSpan(NonceBytes, plain.Length), box.AsSpan(NonceBytes + plain.Length), _group);
        return Convert.ToBase64String(box);
    }

    /// <returns>Null if it was not closed with this secret for this group.</returns>
    public Secret? TryOpen(string text)
    {
        var box = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, box, out var length) || length < NonceBytes + TagBytes) return null;

        var plain = new byte[length - NonceBytes - TagBytes];
        using var aes = new AesGcm(_key, TagBytes);
        try
        {
            aes.Decrypt(box.AsSpan(0, NonceBytes), box.AsSpan(NonceBytes, plain.Length), box.AsSpan(length - TagBytes, TagBytes), plain, _group);
            return Encoding.UTF8.GetString(plain);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
