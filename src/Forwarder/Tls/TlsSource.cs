namespace KeyEvt.Forwarder.Tls;

/// <summary>Which certificates do new connections of one side use? Those read last; a file that cannot be used changes nothing.</summary>
public sealed class TlsSource
{
    private volatile TlsMaterial _current;

    /// <param name="time">By whose clock certificates are valid, one's own and those of others.</param>
    /// <exception cref="TlsFileException">A file cannot be used.</exception>
    public TlsSource(TlsFiles files, TimeProvider time) => (Time, _current) = (time, TlsMaterial.Load(files));

    public TimeProvider Time { get; }

    public TlsMaterial Current => _current;

    /// <summary>Reads the files anew. On an exception what was read before stays in force.</summary>
    /// <exception cref="TlsFileException">A file cannot be used, or holds a certificate that is not valid now: the other side would refuse it.</exception>
    public void Reload()
    {
        var next = TlsMaterial.Load(_current.Files);
        if (next.OwnFault(Time.GetUtcNow()) is { } fault) throw new TlsFileException(fault);
        _current = next;
    }
}
