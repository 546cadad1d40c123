namespace KeyEvt.Forwarder.Agreement;

/// <summary>Where does the configuration of a group outlive its members?</summary>
internal interface IConfigStore
{
    /// <returns>What is kept, with its version in front; null: nothing is.</returns>
    /// <exception cref="ConfigStoreException">It cannot be asked at the moment.</exception>
    Task<string?> ReadAsync();

    /// <summary>Keeps a text, if what is kept has the expected version, or if nothing is kept.</summary>
    /// <returns>False if another version is kept.</returns>
    /// <exception cref="ConfigStoreException">It cannot be asked at the moment, or refuses.</exception>
    Task<bool> TryWriteAsync(long expected, long version, string text);

    /// <summary>Keeps a text, if nothing or an older version is kept.</summary>
    /// <exception cref="ConfigStoreException">It cannot be asked at the moment, or refuses.</exception>
    Task RestoreAsync(long version, string text);
}

/// <summary>The message says why, for people.</summary>
internal sealed class ConfigStoreException(string message, Exception inner) : Exception(message, inner)
{
    /// <summary>The server has answered, and will probably answer the same again.</summary>
    public bool IsRefusal { get; init; }
}
