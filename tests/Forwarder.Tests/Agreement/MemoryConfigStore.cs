using KeyEvt.Forwarder.Agreement;

namespace KeyEvt.Forwarder.Tests.Agreement;

/// <summary>Keeps the configuration in memory, and can be made to fail.</summary>
internal sealed class MemoryConfigStore : IConfigStore
{
    /// <summary>As Redis keeps it: version, space, text.</summary>
    public string? Kept { get; set; }

    /// <summary>Null: it works.</summary>
    public string? Fault { get; set; }

    public bool IsRefusal { get; set; }

    /// <summary>Called before each write that compares.</summary>
    public Action BeforeWrite { get; set; } = static () => { };

    public Task<string?> ReadAsync()
    {
        FailIfDue();
        return Task.FromResult(Kept);
    }

    public Task<bool> TryWriteAsync(long expected, long version, string text)
    {
        FailIfDue();
        BeforeWrite();
        if (Kept is not null && VersionOf(Kept) != expected) return Task.FromResult(false);

        Kept = $"{version} {text}";
        return Task.FromResult(true);
    }

    public Task RestoreAsync(long version, string text)
    {
        FailIfDue();
        if (VersionOf(Kept) < version || Kept is null) Kept = $"{version} {text}";
        return Task.CompletedTask;
    }

    private static long VersionOf(string? kept) =>
        kept?.Split(' ') is [{ Length: <= 18 } first, _, ..] && long.TryParse(first, System.Globalization.CultureInfo.InvariantCulture, out var version) ? version : 0;

    private void FailIfDue()
    {
        if (Fault is { } fault) throw new ConfigStoreException(fault, new IOException(fault)) { IsRefusal = IsRefusal };
    }
}
