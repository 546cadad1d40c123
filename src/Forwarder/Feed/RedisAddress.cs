namespace KeyEvt.Forwarder.Feed;

/// <summary>Where is a Redis?</summary>
public sealed record RedisAddress
{
    public string Scheme { get; init; } = "redis";
    public string Host { get; init; } = "";
    public int Port { get; init; }
    public string? Path { get; init; }
    public string? User { get; init; }
    public string? Password { get; init; }

    public override string ToString() => Path is null ? $"{Scheme}://{Host}:{Port}" : $"unix:{Path}";
}

public enum NotifyMode { Manage, Verify, Off }
