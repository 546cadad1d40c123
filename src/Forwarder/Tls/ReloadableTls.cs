namespace KeyEvt.Forwarder.Tls;

/// <summary>Which certificates do new connections of one side use? Those that were read last. If a file cannot be used, nothing changes.</summary>
public sealed class ReloadableTls
{
    /// <summary>Immutable material. Replaced by <see cref="Reload"/>; any thread reads the newest.</summary>
    private volatile TlsMaterial _current;

    /// <param name="time">The clock by which certificates are checked, our own and those of others.</param>
    /// <exception cref="TlsFileException">A file cannot be used.</exception>
    public ReloadableTls(TlsFileNames files, TimeProvider time) => (Time, _current) = (time, TlsMaterial.Load(files));

    public TimeProvider Time { get; }

    public TlsMaterial Current => _current;

    /// <summary>Reads the files again. On an exception the previous material stays in use.</summary>
    /// <exception cref="TlsFileException">A file cannot be used, or holds a certificate that is not valid now, which the other side would
    /// refuse.</exception>
    public void Reload()
    {
        var next = TlsMaterial.Load(_current.Files);
        if (next.OwnFault(Time.GetUtcNow()) is { } fault) throw new TlsFileException(fault);
        _current = next;
    }
}
