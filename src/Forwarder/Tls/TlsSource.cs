namespace KeyEvt.Forwarder.Tls;

/// <summary>Which certificates do new connections of one side use? Those read last; a file that cannot be used changes nothing.</summary>
public sealed class TlsSource
{
    private volatile TlsMaterial _current;

    /// <exception cref="TlsFileException">A file cannot be used.</exception>
    public TlsSource(TlsFiles files) => _current = TlsMaterial.Load(files);

    public TlsMaterial Current => _current;

    /// <summary>Reads the files anew. On an exception what was read before stays in force.</summary>
    /// <exception cref="TlsFileException">A file cannot be used.</exception>
    public void Reload() => _current = TlsMaterial.Load(_current.Files);
}
