// How long do the small pieces take, and what do they allocate?
//   dotnet run -c Release --project bench/Micro -- --filter '*' --job short
using BenchmarkDotNet.Running;

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
