// What does a worker process say of itself at its end?
using System.Globalization;

namespace KeyEvt.Bench.Load.Forward;

/// <summary>One line: messages, seconds, bytes allocated.</summary>
internal readonly record struct WorkerFigures(double Messages, double Seconds, double Allocated)
{
    public static void Print(long messages, TimeSpan elapsed, long allocated) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"figures {messages} {elapsed.TotalSeconds} {allocated}"));

    public static bool IsOne(string line) => line.StartsWith("figures ", StringComparison.Ordinal);

    public static WorkerFigures Parse(string line)
    {
        var parts = line.Split(' ');
        return new WorkerFigures(Number(parts[1]), Number(parts[2]), Number(parts[3]));
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
