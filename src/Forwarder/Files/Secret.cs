using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;

namespace KeyEvt.Forwarder.Files;

/// <summary>
/// What is the password now? A text that was given stays as it is. One from a file is read again after a login with it was refused, and whenever <see cref="Reload"/> is
/// called; so it can be rotated while the program runs.
/// </summary>
/// <remarks>
/// Two are equal when they come from the same file, whatever it holds at the moment, or are the same text. So a rotated password is no other configuration, and what is connected
/// stays connected. Never printed. Thread safe.
/// </remarks>
public sealed class Secret : IEquatable<Secret>
{
    private readonly string? _file;
    private volatile string _value;
    private volatile bool _wasRefused;
    private volatile string? _fileFault;

    private Secret(string value, string? file) => (_value, _file) = (value, file);

    /// <summary>No password.</summary>
    public static Secret None { get; } = new("", null);

    /// <summary>The file it is read from; null for a text that stays.</summary>
    public string? File => _file;

    public string Value => _value;

    /// <summary>For the end of a text about a refused login: why the file could not be read again; empty when it could.</summary>
    public string Remark => _fileFault is { } fault ? $"; the password file could not be read again: {fault}" : "";

    [return: NotNullIfNotNull(nameof(text))]
    public static implicit operator Secret?(string? text) => text is null ? null : new(text, null);

    /// <exception cref="IOException">One line that says what is wrong with the file; never what it holds.</exception>
    public static Secret FromFile(string path) => new(Read(path, out var mayBeReadAgain), mayBeReadAgain ? path : null);

    /// <summary>For a new login: the file is read first when the last one was refused. A file that cannot be used leaves the password as it was.</summary>
    public string ForLogin()
    {
        if (_wasRefused)
        {
            _wasRefused = false;
            try
            {
                Reload();
            }
            catch (IOException e)
            {
                _fileFault = e.Message;
            }
        }

        return _value;
    }

    /// <summary>A login with it was refused.</summary>
    public void Refused() => _wasRefused = true;

    /// <summary>Reads the file again; new logins use what it holds now.</summary>
    /// <returns>Whether it is another password.</returns>
    /// <exception cref="IOException">The file cannot be used: one line that says why. The password stays as it was.</exception>
    public bool Reload()
    {
        if (_file is null) return false;

        var now = Read(_file, out _);
        var isOther = now != _value;
        (_value, _fileFault) = (now, null);
        return isOther;
    }

    public bool Equals(Secret? other) => other is not null && _file == other._file && (_file is not null || _value == other._value);

    public override bool Equals(object? obj) => Equals(obj as Secret);

    public override int GetHashCode() => (_file ?? _value).GetHashCode(StringComparison.Ordinal);

    /// <summary>For people, and for records that print their members.</summary>
    public override string ToString() => _file is null ? "(secret)" : "(secret in a file)";

    /// <summary>The text of a file, without the line end at its end.</summary>
    /// <param name="mayBeReadAgain">Not a pipe: that would give nothing, or keep who reads waiting.</param>
    private static string Read(string path, out bool mayBeReadAgain)
    {
        byte[] bytes;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            mayBeReadAgain = file.CanSeek;
            using var text = new MemoryStream();
            file.CopyTo(text);
            bytes = text.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new IOException($"which cannot be read: {Reason(e)}", e);
        }

        ReadOnlySpan<byte> secret = bytes;
        if (secret.StartsWith("\uFEFF"u8)) secret = secret["\uFEFF"u8.Length..];
        if (secret.EndsWith("\n"u8)) secret = secret[..^1];
        if (secret.EndsWith("\r"u8)) secret = secret[..^1];
        if (secret.IsEmpty || secret.Contains((byte)0) || !Utf8.IsValid(secret))
        {
            throw new IOException("which must hold a password or token: not empty, UTF-8, without a NUL");
        }

        return Encoding.UTF8.GetString(secret);
    }

    private static string Reason(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        UnauthorizedAccessException => "access is denied",
        _ => e.Message,
    };
}
