package assay

// ServiceConfigForTest shows what gRPC is told to repeat.
func ServiceConfigForTest() string { return serviceConfig(methodsOfContract()) }

// PathProblemForTest judges one path.
func PathProblemForTest(path string) string { return pathProblem(path) }
