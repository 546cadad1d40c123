using Microsoft.Extensions.Logging;

namespace KeyEvt.Simulation.Worlds;

/// <summary>What does one program log? It stands in the story, if that is kept.</summary>
internal sealed class StoryLogger(World world, string who) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public bool IsEnabled(LogLevel logLevel) => world.KeepsStory || logLevel == LogLevel.Critical;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) world.TellOnly($"{who}: {formatter(state, exception)}{(exception is null ? "" : " " + exception)}");
    }

    public void Dispose()
    {
        // It owns nothing.
    }
}
